import { expect, test } from 'vitest';
import { readGatewayConfig } from './config.ts';

const REDIS_URL = 'redis://127.0.0.1:6379';
const JWT_SECRET = 'a secret of thirty-two characters';
const read = (env: Record<string, string> = {}) =>
  readGatewayConfig({ REDIS_URL, JWT_SECRET, ...env });

test('[MEM] an outbox has room for the largest event, also where its payload is said twice', () => {
  for (const MAX_EVENT_SIZE of ['262145', '1048576']) {
    const least = String(4 * Number(MAX_EVENT_SIZE));
    const tooSmall = String(Number(least) - 1);
    const sentence = `OUTBOX_MAX_BYTES must be at least 4 times MAX_EVENT_SIZE, which is ${least}`;
    expect(() => read({ MAX_EVENT_SIZE })).toThrow(sentence);
    expect(() => read({ MAX_EVENT_SIZE, OUTBOX_MAX_BYTES: tooSmall })).toThrow(sentence);
    expect(read({ MAX_EVENT_SIZE, OUTBOX_MAX_BYTES: least })).toBeDefined();
  }
  expect(read({ MAX_EVENT_SIZE: '262144' }).OUTBOX_MAX_BYTES).toBe(1_048_576);
  expect(() => read({ OUTBOX_MAX_BYTES: '1048575' })).toThrow(/OUTBOX_MAX_BYTES/);
  expect(read({ OUTBOX_MAX_BYTES: '1048576' }).OUTBOX_MAX_BYTES).toBe(1_048_576);
});

test('silence is allowed for longer than a heartbeat takes', () => {
  const env = { WEBSOCKET_HEARTBEAT_INTERVAL: '30', WEBSOCKET_TIMEOUT: '30' };
  expect(() => read(env)).toThrow(/WEBSOCKET_TIMEOUT must be longer/);
});
