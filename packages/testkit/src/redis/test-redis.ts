/** A Redis for tests; `await using` stops it. */
export interface TestRedis extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Stops it in an orderly way. */
  stop(): Promise<void>;
  /** Kills it without a shutdown. */
  kill(): Promise<void>;
  /** Starts it again at the same address; without `appendonly` it is empty. */
  restart(): Promise<void>;
  /** Freezes it until `resume`; its connections stay open. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** True: its files can grow no further, as on a full disk. False: they can again. */
  fillDisk(isFull: boolean): Promise<void>;
}

export interface RedisOptions {
  /** True for tests that stop, flush or reconfigure it: the shared one at REDIS_URL is not used. */
  readonly own?: boolean;
  /** True to keep data over a restart. */
  readonly appendonly?: boolean;
  /** Another program than the `redis-server` of this machine; see `SERVER_PROGRAMS`. */
  readonly program?: string | undefined;
  /** Further lines of the configuration file of a redis-server. */
  readonly config?: readonly string[];
}

/** Options of several servers that belong together; they are never shared. */
export type RedisGroupOptions = Pick<RedisOptions, 'appendonly' | 'program'>;
