import { fileURLToPath } from 'node:url';
import manifest from 'ws/package.json' with { type: 'json' };
import { redisRelay } from '../lib/redis-relay.ts';

const SERVER = fileURLToPath(new URL('server.ts', import.meta.url));

/** The usual first implementation: `ws` with one `send` for each client. */
export const ws = redisRelay({
  name: 'ws',
  unavailable: async () => undefined,
  command: async ({ port, redis, prefix, heartbeatSeconds }) => [
    process.execPath,
    SERVER,
    String(port),
    redis.url,
    prefix,
    String(heartbeatSeconds),
  ],
  versions: async () => ({ ws: manifest.version, node: process.version }),
  ready: 'ready',
  flags: 'perMessageDeflate false, one send of a Buffer for each client',
});
