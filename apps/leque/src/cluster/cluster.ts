import { fileURLToPath } from 'node:url';
import { RedisSettings, redisRule } from '@leque/broker-redis';
import { busyPort, type RunningServer, readConfig, StartError } from '@leque/service';
import { isPortFree, startRedis, type TestRedis } from '@leque/testkit';
import { type ClusterConfig, readClusterConfig, withSecret } from '../dev/config.ts';
import { startOnRedis } from '../dev/start-on-redis.ts';
import { printClusterBanner } from './cluster-banner.ts';
import { LoadBalancer } from './load-balancer.ts';
import { LocalNode } from './local-node.ts';

const PUBLISHER = fileURLToPath(new URL('../../../publisher/src/main.ts', import.meta.url));
const GATEWAY = fileURLToPath(new URL('../../../gateway/src/main.ts', import.meta.url));
const GATEWAYS = 3;
const HOST = '127.0.0.1';
/** Time that a node may take beyond its drain, and Redis beyond the nodes. */
const STOP_GRACE_MS = 10_000;

/** Starts a cluster of real processes on loopback; stopping it leaves nothing behind. */
export async function startCluster(env: NodeJS.ProcessEnv): Promise<RunningServer> {
  const config = readClusterConfig(env);
  await refuseAllBusyPorts(config);
  const { REDIS_URL } = config;
  if (REDIS_URL === undefined) return await launch(config, env, await openRedis());
  const settings = readConfig(RedisSettings, env, [redisRule]);
  const redis = { url: REDIS_URL, [Symbol.asyncDispose]: async () => {} };
  return await startOnRedis(settings, () => launch(config, env, redis));
}

async function refuseAllBusyPorts(config: ClusterConfig): Promise<void> {
  const { PORT, BASE_PORT, OPERATIONS_PORT } = config;
  const ports = portsFrom(BASE_PORT);
  const operations = OPERATIONS_PORT === undefined ? [] : portsFrom(OPERATIONS_PORT);
  await refuseBusyPorts([PORT], { variable: 'PORT' });
  await refuseBusyPorts(ports, { variable: 'BASE_PORT', taken: [PORT] });
  await refuseBusyPorts(operations, { variable: 'OPERATIONS_PORT', taken: [PORT, ...ports] });
}

/** Starts the processes on a Redis that serves. */
async function launch(
  config: ClusterConfig,
  env: NodeJS.ProcessEnv,
  redis: Pick<TestRedis, 'url' | typeof Symbol.asyncDispose>,
): Promise<RunningServer> {
  const { PORT, BASE_PORT, OPERATIONS_PORT, ...developer } = config;
  const ports = portsFrom(BASE_PORT);
  const operations = OPERATIONS_PORT === undefined ? [] : portsFrom(OPERATIONS_PORT);
  const [publisher = '', ...gateways] = ports.map(urlOf);
  const settings = Object.entries({ ...developer, HOST, REDIS_URL: redis.url });
  const shared: NodeJS.ProcessEnv = {
    // Browsers try the examples on the pages of the publisher.
    CORS_ORIGIN: [...new Set([publisher, ...operations.map(urlOf).slice(0, 1)])].join(','),
    ...withSecret(env),
    // A value was read from its file already, and a variable has one of both.
    ...Object.fromEntries(settings.map(([name]) => [`${name}_FILE`, ''])),
    ...Object.fromEntries(settings.map(([name, value]) => [name, String(value)])),
  };
  const stopDeadlineMs = (developer.DRAIN_GRACE + developer.DRAIN_TIMEOUT) * 1000 + STOP_GRACE_MS;
  const nodes = ports.map((port, index) => {
    const name = index === 0 ? 'publisher' : `gateway-${index}`;
    return new LocalNode({
      name,
      script: index === 0 ? PUBLISHER : GATEWAY,
      url: urlOf(port),
      env: { ...shared, NODE_ID: name, PORT: String(port), ...operationsPort(operations[index]) },
      stopDeadlineMs,
    });
  });
  const [first, ...others] = nodes;
  if (first === undefined) throw new Error('the publisher is the first node');
  const balancer = new LoadBalancer({
    publisher: first,
    gateways: others,
    basePath: env['BASE_PATH'] || undefined,
  });
  const stop = async () => {
    await Promise.all(nodes.map((node) => node.stop()));
    await balancer[Symbol.asyncDispose]();
    await redis[Symbol.asyncDispose]();
  };
  try {
    await Promise.all(nodes.map((node) => node.start()));
    await balancer.listen(PORT);
  } catch (error) {
    await stop();
    throw error;
  }
  const all = `http://localhost:${balancer.port}`;
  await printClusterBanner({
    redisUrl: redis.url,
    publisher,
    api: all,
    docs: operations.map(urlOf)[0] ?? all,
    gateway: all,
    gateways: gateways.map((url, index) => ({ url, pid: nodes[index + 1]?.pid })),
    authMode: developer.AUTH_MODE,
    key: shared,
  });
  return { stop, stopTimeoutMs: stopDeadlineMs + STOP_GRACE_MS };
}

function urlOf(port: number): string {
  return `http://${HOST}:${port}`;
}

/** Returns the port of the publisher, and then those of the gateways. */
function portsFrom(first: number): number[] {
  return Array.from({ length: 1 + GATEWAYS }, (_, index) => first + index);
}

function operationsPort(port: number | undefined): NodeJS.ProcessEnv {
  return port === undefined ? {} : { OPERATIONS_PORT: String(port) };
}

interface PortsOf {
  /** The variable that chooses the ports. */
  readonly variable: string;
  /** Ports of the same cluster, which nobody listens on yet. */
  readonly taken?: readonly number[];
}

/** @throws StartError when a port is in use; 0 stands for a free one */
async function refuseBusyPorts(
  ports: readonly number[],
  { variable, taken = [] }: PortsOf,
): Promise<void> {
  const free = await Promise.all(ports.map(async (port) => port === 0 || isPortFree(port)));
  const busy = ports.find((port, index) => !free[index] || taken.includes(port));
  if (busy !== undefined) throw busyPort(busy, variable);
}

/** @throws StartError when there is no Redis to start */
async function openRedis(): Promise<TestRedis> {
  try {
    return await startRedis();
  } catch (error) {
    throw new StartError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}
