import type { RedisDrivers } from '@leque/broker-redis';
import { createAdapter } from '@socket.io/redis-adapter';
import type { GatewayParts } from './gateway.ts';

/**
 * For Socket.IO's own cluster calls, and for code that emits to `user:…` rooms through Socket.IO's
 * Redis emitter; publications never travel through it (ADR 1).
 */
export function redisAdapter(redis: RedisDrivers): GatewayParts['socketIoAdapter'] {
  return createAdapter(redis.connection(), redis.connection());
}
