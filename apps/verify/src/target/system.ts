import { fileURLToPath } from 'node:url';
import {
  type FaultProxy,
  freePorts,
  ServerProcess,
  startFaultProxy,
  TEST_API_KEY,
  TEST_JWT_SECRET,
} from '@leque/testkit';
import { SystemRedis, type SystemRedisOptions } from './system-redis.ts';

const GATEWAYS = 3;
const PUBLISHERS = 2;
const PROBE_TIMEOUT_MS = 1000;

/** A compile cache, because servers are started again and again. */
const COMPILED = fileURLToPath(
  new URL('../../../../node_modules/.cache/compiled', import.meta.url),
);

const SETTINGS = {
  NODE_COMPILE_CACHE: COMPILED,
  AUTH_MODE: 'required',
  JWT_SECRET: TEST_JWT_SECRET,
  PUBLISH_API_KEYS: TEST_API_KEY,
  LOG_LEVEL: 'warn',
};
/**
 * Dead connections must be found before a lease ends: a polling client has no connection to close,
 * so only its silence shows that it has left.
 */
const GATEWAY_SETTINGS = {
  WEBSOCKET_HEARTBEAT_INTERVAL: '3',
  WEBSOCKET_TIMEOUT: '8',
  WEBSOCKET_MAX_CONNECTIONS: '20000',
  MAX_CONNECTIONS_PER_USER: '0', // a storm has 5,000 clients of 20 users
  DRAIN_GRACE: '1',
  DRAIN_TIMEOUT: '4',
};

export interface SystemOptions extends SystemRedisOptions {
  readonly settings?: Readonly<Record<string, string>>;
  /** Whether nodes reach a single Redis without a proxy of verify; they have no `link` then. */
  readonly direct?: boolean;
  /** `ulimit -n` of each gateway; that of this process when it is undefined. */
  readonly openFiles?: number;
}

/** A cluster whose parts are processes that can be killed, frozen and cut off. */
export interface System extends AsyncDisposable {
  readonly redis: SystemRedis;
  readonly gateways: readonly SystemNode[];
  readonly publishers: readonly SystemNode[];
  /** Drain configuration of the gateways. */
  readonly drain: { readonly graceMs: number; readonly timeoutMs: number };
  /** Starts one more gateway; resolves once it is ready. */
  addGateway(): Promise<SystemNode>;
}

/** A gateway or publisher; its connections to a single Redis go through its own proxy. */
export class SystemNode {
  readonly id: string;
  readonly server: ServerProcess;
  readonly #link: FaultProxy | undefined;

  constructor(id: string, server: ServerProcess, link: FaultProxy | undefined) {
    this.id = id;
    this.server = server;
    this.#link = link;
  }

  /** @throws Error without a proxy: with Sentinel, Redis Cluster, a lossy network, or `direct` */
  get link(): FaultProxy {
    if (this.#link === undefined) throw new Error('this node reaches its Redis without a proxy');
    return this.#link;
  }

  /** HTTP status of its readiness; undefined without an answer. */
  async readiness(): Promise<number | undefined> {
    try {
      const signal = AbortSignal.timeout(PROBE_TIMEOUT_MS);
      const response = await fetch(`${this.server.url}/readyz`, { signal });
      await response.body?.cancel();
      return response.status;
    } catch {
      return undefined;
    }
  }
}

export async function startSystem(options: SystemOptions): Promise<System> {
  await using starting = new AsyncDisposableStack();
  let stack = starting;
  const redis = stack.use(await SystemRedis.start(options));
  const gatewaySettings = { ...GATEWAY_SETTINGS, ...options.settings };
  const start = async (app: 'gateway' | 'publisher', index: number) => {
    const id = `${app}-${index + 1}`;
    const link =
      redis.kind === 'standalone' && !options.lossy && !options.direct
        ? stack.use(await startFaultProxy({ target: redis.url }))
        : undefined;
    const env = { ...SETTINGS, ...(app === 'gateway' ? gatewaySettings : options.settings) };
    const here = { NODE_ID: id, REDIS_URL: link?.through(redis.url) ?? redis.url };
    const openFiles = app === 'gateway' ? options.openFiles : undefined;
    return new SystemNode(id, await startServer(app, { ...env, ...here }, openFiles), link);
  };
  const publishers = Array.from({ length: PUBLISHERS }, (_, index) => start('publisher', index));
  const gateways = Array.from({ length: GATEWAYS }, (_, index) => start('gateway', index));
  for (const result of await Promise.allSettled([...publishers, ...gateways])) {
    if (result.status === 'fulfilled') stack.use(result.value.server);
  }
  const parts = {
    redis,
    publishers: await Promise.all(publishers),
    gateways: await Promise.all(gateways),
    drain: {
      graceMs: Number(gatewaySettings.DRAIN_GRACE) * 1000,
      timeoutMs: Number(gatewaySettings.DRAIN_TIMEOUT) * 1000,
    },
  };
  const owner = starting.move();
  stack = owner;
  let added = gateways.length;
  const addGateway = async () => {
    const node = await start('gateway', added++);
    owner.use(node.server);
    return node;
  };
  return { ...parts, addGateway, [Symbol.asyncDispose]: () => owner.disposeAsync() };
}

async function startServer(
  app: 'gateway' | 'publisher',
  env: Readonly<Record<string, string>> & { readonly NODE_ID: string },
  openFiles: number | undefined,
): Promise<ServerProcess> {
  const entry = `apps/${app}/src/main.ts`;
  const limit = openFiles === undefined ? {} : { openFiles };
  const port = await freePorts(1);
  return ServerProcess.start({ name: env.NODE_ID, entry, port, env, ...limit });
}
