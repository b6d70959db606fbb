/** A Redis for tests; `await using` stops it. */
export interface TestRedis extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Ends it in an orderly way. */
  stop(): Promise<void>;
  /** Ends it as a power cut would. */
  kill(): Promise<void>;
  /** Starts it again, at the same address; without `appendonly` it comes back empty. */
  restart(): Promise<void>;
  /** Freezes it: its connections stay open, and nothing answers until `resume`. */
  pause(): Promise<void>;
  resume(): Promise<void>;
}

export interface RedisOptions {
  /** For tests that stop, flush or reconfigure it: never the one at REDIS_URL, which is shared. */
  readonly own?: boolean;
  /** Keeps what is written over a restart. */
  readonly appendonly?: boolean;
}

/** Those of several servers that belong together: they are always the test's own. */
export type RedisGroupOptions = Pick<RedisOptions, 'appendonly'>;
