import {
  type RedisGroupOptions,
  SERVER_PROGRAMS,
  startRedis,
  startRedisCluster,
  startSentinel,
} from '@leque/testkit';
import { describeOnRedisServers } from '@leque/testkit/contracts';
import { describe } from 'vitest';
import { command, type Reply } from './foreign-service.ts';

/** A running Redis of one kind. */
export interface RedisMode extends AsyncDisposable {
  readonly url: string;
  readonly isCluster: boolean;
  /** Sends a command to the server that has `key`. */
  command(name: string, key: string, ...rest: string[]): Promise<Reply>;
}

type StartMode = (options?: RedisGroupOptions) => Promise<RedisMode>;

const standalone: StartMode = async (options) => {
  const redis = await startRedis(options);
  return {
    url: redis.url,
    isCluster: false,
    command: (...words) => command(redis.url, ...words),
    [Symbol.asyncDispose]: () => redis[Symbol.asyncDispose](),
  };
};

const sentinel: StartMode = async (options) => {
  const group = await startSentinel(options);
  return {
    url: group.url,
    isCluster: false,
    command: async (...words) => command((await group.master()).url, ...words),
    [Symbol.asyncDispose]: () => group[Symbol.asyncDispose](),
  };
};

const cluster: StartMode = async (options) => {
  const nodes = await startRedisCluster(options);
  return {
    url: nodes.url,
    isCluster: true,
    command: async (name, key, ...rest) =>
      command((await nodes.masterOf(key)).url, name, key, ...rest),
    [Symbol.asyncDispose]: () => nodes[Symbol.asyncDispose](),
  };
};

const MODES = { standalone, Sentinel: sentinel, Cluster: cluster };

/**
 * Describes tests that must pass on every kind of Redis: alone, behind Sentinel and as a Cluster, on
 * the server of this machine and on each of `SERVER_PROGRAMS`. When skipped, the title says why.
 */
export function describeOnEveryRedis(
  title: string,
  tests: (start: () => Promise<RedisMode>) => void,
): void {
  for (const [mode, start] of Object.entries(MODES)) {
    const describeMode = mode === 'standalone' ? describe : describeOnRedisServers;
    describeMode(`${title} on Redis ${mode}`, () => tests(() => start()));
    for (const { name, path, isThere } of SERVER_PROGRAMS) {
      if (isThere)
        describe(`${title} on ${name} ${mode}`, () => tests(() => start({ program: path })));
      else
        describe.skip(`${title} on ${name} ${mode} (it could not be downloaded)`, () =>
          tests(start));
    }
  }
}
