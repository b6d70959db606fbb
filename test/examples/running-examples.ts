import {
  type Cluster,
  type FaultProxy,
  freePorts,
  ServerProcess,
  startCluster,
  startFaultProxy,
  TEST_API_KEY,
  TEST_JWT_SECRET,
} from '@leque/testkit';
import { RoundRobin } from '../support/round-robin.ts';

/** The servers of the examples, on one cluster whose clients all come through one proxy. */
export interface RunningExamples extends AsyncDisposable {
  readonly cluster: Cluster;
  /** Clients of all examples come through it. */
  readonly proxy: FaultProxy;
  /** URL of a gateway, through the proxy. */
  readonly gatewayUrl: string;
  readonly boardUrl: string;
  /** A board whose grants end after `SHORT_GRANT_SECONDS`. */
  readonly strictBoardUrl: string;
  readonly deskUrl: string;
  readonly agentUrl: string;
}

const SHORT_GRANT_SECONDS = 2;

/** Clients connect to the first gateway while it lives, and otherwise to the second one. */
export async function startExamples(): Promise<RunningExamples> {
  await using stack = new AsyncDisposableStack();
  const cluster = stack.use(await startCluster({ gateways: 2, env: { JWT_CLOCK_TOLERANCE: '0' } }));
  const urls = cluster.gateways.map(({ url }) => url);
  const balancer = stack.use(await RoundRobin.start(urls, 'first alive'));
  const proxy = stack.use(await startFaultProxy({ target: balancer.url }));
  const gatewayUrl = `http://127.0.0.1:${proxy.port}`;
  const env = {
    LEQUE_URL: cluster.publisher.url,
    GATEWAY_URL: gatewayUrl,
    PUBLISH_API_KEY: TEST_API_KEY,
    JWT_SECRET: TEST_JWT_SECRET,
  };
  const start = async (name: string, more: Readonly<Record<string, string>> = {}) => {
    const entry = `examples/${name}/server.js`;
    const port = await freePorts(1);
    return stack.use(await ServerProcess.start({ name, entry, port, env: { ...env, ...more } }))
      .url;
  };
  const grants = { GRANT_SECONDS: String(SHORT_GRANT_SECONDS) };
  const [boardUrl = '', strictBoardUrl = '', deskUrl = '', agentUrl = ''] = await Promise.all([
    start('board'),
    start('board', grants),
    start('desk'),
    start('agent'),
  ]);
  const running = stack.move();
  return {
    cluster,
    proxy,
    gatewayUrl,
    boardUrl,
    strictBoardUrl,
    deskUrl,
    agentUrl,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
