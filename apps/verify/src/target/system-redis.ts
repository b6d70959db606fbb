import {
  startRedis,
  startRedisCluster,
  startSentinel,
  type TestRedis,
  type TestRedisCluster,
  type TestSentinel,
} from '@leque/testkit';

export const REDIS_KINDS = ['standalone', 'sentinel', 'cluster'] as const;
export type RedisKind = (typeof REDIS_KINDS)[number];

/** The Redis of a system; scenarios that break it ask for the kind that they support. */
export class SystemRedis implements AsyncDisposable {
  readonly kind: RedisKind;
  readonly #servers: TestRedis | TestSentinel | TestRedisCluster;

  private constructor(kind: RedisKind, servers: TestRedis | TestSentinel | TestRedisCluster) {
    this.kind = kind;
    this.#servers = servers;
  }

  static async start(kind: RedisKind, appendonly: boolean): Promise<SystemRedis> {
    const starters = {
      standalone: () => startRedis({ own: true, appendonly }),
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
