import { MAX_EVENT_BYTES } from '@leque/protocol';
import { expect, test } from 'vitest';
import { readGatewayConfig } from './config.ts';

const REDIS_URL = 'redis://127.0.0.1:6379';
const JWT_SECRET = 'a secret of thirty-two characters';
const read = (env: Record<string, string> = {}) =>
  readGatewayConfig({ REDIS_URL, JWT_SECRET, ...env });

test('[MEM] an outbox has room for the largest event, also where its payload is said twice', () => {
  expect(read().OUTBOX_MAX_BYTES).toBeGreaterThan(3 * MAX_EVENT_BYTES);
  expect(() => read({ OUTBOX_MAX_BYTES: '1048575' })).toThrow(/OUTBOX_MAX_BYTES/);
  expect(read({ OUTBOX_MAX_BYTES: '1048576' }).OUTBOX_MAX_BYTES).toBe(1_048_576);
});

test('silence is allowed for longer than a heartbeat takes', () => {
  const env = { WEBSOCKET_HEARTBEAT_INTERVAL: '30', WEBSOCKET_TIMEOUT: '30' };
  expect(() => read(env)).toThrow(/WEBSOCKET_TIMEOUT must be longer/);
});
