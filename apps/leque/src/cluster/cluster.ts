import { fileURLToPath } from 'node:url';
import { type RunningServer, StartError } from '@leque/service';
import { isPortFree, startRedis } from '@leque/testkit';
import { printClusterBanner } from '../dev/banner.ts';
import { readClusterConfig, withSecret } from '../dev/config.ts';
import { LocalNode } from './local-node.ts';

const PUBLISHER = fileURLToPath(new URL('../../../publisher/src/main.ts', import.meta.url));
const GATEWAY = fileURLToPath(new URL('../../../gateway/src/main.ts', import.meta.url));
const GATEWAYS = 3;
const HOST = '127.0.0.1';
/** Time that a node may take beyond its drain, and Redis beyond the nodes. */
const STOP_GRACE_MS = 10_000;

/** Starts a cluster of real processes on loopback; stopping it leaves nothing behind. */
export async function startCluster(env: NodeJS.ProcessEnv): Promise<RunningServer> {
  const { BASE_PORT, OPERATIONS_PORT, ...developer } = readClusterConfig(env);
  const ports = portsFrom(BASE_PORT);
  const operations = OPERATIONS_PORT === undefined ? [] : portsFrom(OPERATIONS_PORT);
  await refuseBusyPorts(ports, 'BASE_PORT');
  await refuseBusyPorts(operations, 'OPERATIONS_PORT', ports);
  const redis = await startRedis();
  const [api = '', ...gateways] = ports.map(urlOf);
  const docs = operations.map(urlOf)[0] ?? api;
  const settings = Object.entries({ ...developer, HOST, REDIS_URL: redis.url });
  const shared: NodeJS.ProcessEnv = {
    CORS_ORIGIN: [...new Set([api, docs])].join(','), // browsers try the examples on its page
    ...withSecret(env),
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
  const stop = async () => {
    await Promise.all(nodes.map((node) => node.stop()));
    await redis[Symbol.asyncDispose]();
  };
  try {
    await Promise.all(nodes.map((node) => node.start()));
  } catch (error) {
    await stop();
    throw error;
  }
  await printClusterBanner({
    redisUrl: redis.url,
    api,
    docs,
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

/** @param taken ports of the same cluster, which nobody listens on yet */
async function refuseBusyPorts(
  ports: readonly number[],
  variable: string,
  taken: readonly number[] = [],
): Promise<void> {
  const free = await Promise.all(ports.map(isPortFree));
  const busy = ports.find((port, index) => !free[index] || taken.includes(port));
  if (busy !== undefined) throw new StartError(`Port ${busy} is busy; set ${variable}`);
}
