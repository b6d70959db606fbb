import { startRedis, startRedisCluster, startSentinel } from '@leque/testkit';
import { command, type Reply } from './foreign-service.ts';

/** A running Redis of one kind. */
export interface RedisMode extends AsyncDisposable {
  readonly url: string;
  /** Sends a command to the server that has `key`. */
  command(name: string, key: string, ...rest: string[]): Promise<Reply>;
}

const standalone = async (): Promise<RedisMode> => {
  const redis = await startRedis();
  return {
    url: redis.url,
    command: (...words) => command(redis.url, ...words),
    [Symbol.asyncDispose]: () => redis[Symbol.asyncDispose](),
  };
};

const sentinel = async (): Promise<RedisMode> => {
  const group = await startSentinel();
  return {
    url: group.url,
    command: async (...words) => command((await group.master()).url, ...words),
    [Symbol.asyncDispose]: () => group[Symbol.asyncDispose](),
  };
};

const cluster = async (): Promise<RedisMode> => {
  const nodes = await startRedisCluster();
  return {
    url: nodes.url,
    command: async (name, key, ...rest) =>
      command((await nodes.masterOf(key)).url, name, key, ...rest),
    [Symbol.asyncDispose]: () => nodes[Symbol.asyncDispose](),
  };
};

/** The kinds of Redis, by name. */
export const REDIS_MODES = [
  ['standalone', standalone],
  ['Sentinel', sentinel],
  ['Redis Cluster', cluster],
] as const;
