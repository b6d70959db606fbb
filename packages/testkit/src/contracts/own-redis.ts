import { describe } from 'vitest';
import { canOwnRedis, hasRedisServer } from '../redis/start-redis.ts';

/**
 * Describes tests that stop, flush or reconfigure Redis. When skipped, the title gives the reason.
 */
export function describeOnOwnRedis(title: string, tests: () => void): void {
  if (canOwnRedis()) describe(title, tests);
  else describe.skip(`${title} (needs a Redis of its own: redis-server or Docker)`, tests);
}

/** Describes tests that need several servers: Sentinel and Redis Cluster. */
export function describeOnRedisServers(title: string, tests: () => void): void {
  if (hasRedisServer()) describe(title, tests);
  else describe.skip(`${title} (needs redis-server)`, tests);
}
