import type { RedisDrivers } from '@leque/broker-redis';
import { createAdapter } from '@socket.io/redis-adapter';
import type { GatewayDeps } from './gateway.ts';

/**
 * Makes the adapter for Socket.IO's own cluster calls, and for code that emits to `user:…` rooms
 * through Socket.IO's Redis emitter; publications never travel through it (ADR 1).
 * Its channels belong to the installation, as all others do.
 */
export function redisAdapter(redis: RedisDrivers): GatewayDeps['socketIoAdapter'] {
  return createAdapter(redis.connection(), redis.connection(), { key: redis.adapterKey });
}
