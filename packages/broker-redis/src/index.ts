export { parseRedisUrl } from './connection/redis-address.ts';
export type { Inspection, SentinelFacts, ServerFacts } from './inspection/inspection.ts';
export type { Neighbours } from './inspection/neighbours.ts';
export { openRedis, type RedisContext, type RedisDrivers } from './open-redis.ts';
export { RedisSettings, redisRule } from './settings.ts';
