import { allOrNone, owned } from '../lib/disposing.ts';
import { freePorts } from '../lib/free-ports.ts';
import { startRedis, uniquePrefix } from '../redis/start-redis.ts';
import type { TestRedis } from '../redis/test-redis.ts';
import { type Env, ServerProcess } from './process.ts';

/** The default secret with which test systems verify tokens. */
export const TEST_JWT_SECRET = 'only-for-tests-0123456789abcdefgh';
/** An API key with all rights in test systems. */
export const TEST_API_KEY = 'only-for-tests-api-key';

const DEFAULTS: Env = { JWT_SECRET: TEST_JWT_SECRET, DRAIN_GRACE: '0' };

/** Two or more nodes on one Redis, each a `leque dev` process with gateway and publisher. */
export interface Nodes extends AsyncDisposable {
  readonly redis: TestRedis;
  /** The REDIS_KEY_PREFIX of all nodes. */
  readonly prefix: string;
  readonly nodes: readonly ServerProcess[];
}

/** Gateways and a publisher, each a process of its own. */
export interface Cluster extends AsyncDisposable {
  readonly prefix: string;
  readonly publisher: ServerProcess;
  readonly gateways: readonly ServerProcess[];
  /** HTTP URL of the gateway. */
  url(gateway: number): string;
  /** Kills a gateway without a shutdown. */
  kill(gateway: number): Promise<void>;
}

/** The whole system in one process, on the memory broker unless `env` has a REDIS_URL. */
export async function startLeque(env: Env = {}): Promise<ServerProcess> {
  return ServerProcess.start({
    name: 'leque dev',
    entry: 'apps/leque/src/main.ts',
    args: ['dev'],
    port: await freePorts(1),
    env: { ...DEFAULTS, SOCKETIO_PORT: '0', ...env },
  });
}

export async function startNodes(count: number, env: Env = {}): Promise<Nodes> {
  await using stack = new AsyncDisposableStack();
  const redis = stack.use(await startRedis());
  const prefix = uniquePrefix();
  const shared = { REDIS_URL: redis.url, REDIS_KEY_PREFIX: prefix, ...env };
  const starting = Array.from({ length: count }, (_, index) =>
    startLeque({ NODE_ID: `node-${index + 1}`, ...shared }),
  );
  const nodes = await allOrNone(starting, stack);
  return owned({ redis, prefix, nodes }, stack);
}

/** Starts nodes on the Redis at `env.REDIS_URL`, or on a new one without it. */
export async function startCluster(options: { gateways: number; env?: Env }): Promise<Cluster> {
  await using stack = new AsyncDisposableStack();
  const redisUrl = options.env?.['REDIS_URL'] ?? stack.use(await startRedis()).url;
  const prefix = uniquePrefix();
  const shared: Env = {
    ...DEFAULTS,
    REDIS_URL: redisUrl,
    REDIS_KEY_PREFIX: prefix,
    PUBLISH_API_KEYS: TEST_API_KEY,
    ...options.env,
  };
  const start = async (app: 'gateway' | 'publisher', id: string) =>
    ServerProcess.start({
      name: id,
      entry: `apps/${app}/src/main.ts`,
      port: await freePorts(1),
      env: { NODE_ID: id, ...shared },
    });
  const ids = Array.from({ length: options.gateways }, (_, index) => `gateway-${index + 1}`);
  const [publishers, gateways] = await Promise.all([
    allOrNone([start('publisher', 'publisher-1')], stack),
    allOrNone(
      ids.map((id) => start('gateway', id)),
      stack,
    ),
  ]);
  const publisher = at(publishers, 0);
  const url = (gateway: number) => at(gateways, gateway).url;
  const kill = (gateway: number) => at(gateways, gateway).kill();
  return owned({ prefix, publisher, gateways, url, kill }, stack);
}

function at<T>(items: readonly T[], index: number): T {
  const item = items[index];
  if (item === undefined) throw new RangeError(`there is no number ${index} of ${items.length}`);
  return item;
}
