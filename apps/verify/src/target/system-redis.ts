import {
  type LossyRedis,
  startLossyRedis,
  startRedis,
  startRedisCluster,
  startSentinel,
  type TestRedis,
  type TestRedisCluster,
  type TestSentinel,
} from '@leque/testkit';

export const REDIS_KINDS = ['standalone', 'sentinel', 'cluster'] as const;
export type RedisKind = (typeof REDIS_KINDS)[number];

export interface SystemRedisOptions {
  readonly redis: RedisKind;
  /** Whether Redis keeps its data over a restart. */
  readonly appendonly: boolean;
  /** Whether packets to and from a single Redis can be lost; its processes have no proxy then. */
  readonly lossy?: boolean;
}

/** The Redis of a system; scenarios that break it ask for the kind that they support. */
export class SystemRedis implements AsyncDisposable {
  readonly kind: RedisKind;
  readonly #servers: TestRedis | TestSentinel | TestRedisCluster;

  private constructor(kind: RedisKind, servers: TestRedis | TestSentinel | TestRedisCluster) {
    this.kind = kind;
    this.#servers = servers;
  }

  static async start({ redis: kind, ...options }: SystemRedisOptions): Promise<SystemRedis> {
    const { appendonly, lossy = false } = options;
    const starters = {
      standalone: () => (lossy ? startLossyRedis : startRedis)({ own: true, appendonly }),
      sentinel: () => startSentinel({ appendonly }),
      cluster: () => startRedisCluster({ appendonly }),
    };
    return new SystemRedis(kind, await starters[kind]());
  }

  get url(): string {
    return this.#servers.url;
  }

  /** @throws Error when this Redis is of another kind, as the other getters do */
  get standalone(): TestRedis {
    return this.#as<TestRedis>('standalone');
  }

  /** @throws Error also when its packets cannot be lost */
  get lossy(): LossyRedis {
    if ('lose' in this.#servers) return this.#as<LossyRedis>('standalone');
    throw new Error('this needs a Redis whose packets can be lost');
  }

  get sentinel(): TestSentinel {
    return this.#as<TestSentinel>('sentinel');
  }

  get cluster(): TestRedisCluster {
    return this.#as<TestRedisCluster>('cluster');
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#servers[Symbol.asyncDispose]();
  }

  #as<T>(kind: RedisKind): T {
    if (this.kind !== kind) throw new Error(`this needs a Redis of the kind ${kind}`);
    return this.#servers as T;
  }
}
