import { describe } from 'vitest';
import { canOwnRedis, hasRedisServer } from '../redis/start-redis.ts';

/**
 * For tests that stop, flush or reconfigure Redis; where they are skipped, their title says why.
 */
export function describeOnOwnRedis(title: string, tests: () => void): void {
  if (canOwnRedis()) describe(title, tests);
  else describe.skip(`${title} (needs a Redis of its own: redis-server or Docker)`, tests);
}

/** For tests on several servers, as of Sentinel and Cluster. */
export function describeOnRedisServers(title: string, tests: () => void): void {
  if (hasRedisServer()) describe(title, tests);
  else describe.skip(`${title} (needs redis-server)`, tests);
}
