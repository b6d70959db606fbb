import { expect, test } from 'vitest';
import { readPublisherConfig } from './config.ts';
import { publisherPolicy } from './settings.ts';

const REDIS_URL = 'redis://127.0.0.1:6379';
const secret = 'a secret of thirty-two characters';

test('Redis and a secret are all that has to be set', () => {
  const config = readPublisherConfig({ REDIS_URL, JWT_SECRET: secret });
  expect(config).toMatchObject({ PORT: 9100, HOST: '0.0.0.0', AUTH_MODE: 'required' });
  expect(publisherPolicy(config)).toEqual({
    authMode: 'required',
    apiKeys: [],
    rates: { key: 0, user: 5_000, address: 5_000 },
    wrongCredentialsPerMinute: 600,
    historyReads: 4,
    origins: { allowed: [], loopback: false, hosts: ['*'] },
    docs: true,
    firehose: true,
    unaddressed: 'refuse',
    schemas: 'warn',
    journal: { entries: 20_000, ttlMs: 900_000 },
    limits: {
      maxEventBytes: 65_536,
      maxBatchBytes: 8_388_608,
      answerWithinMs: 900,
      trustTraceparent: 'keys',
    },
  });
});

test.each([
  [{}, 'refuse'],
  [{ AUTH_MODE: 'open' }, 'all'],
  [{ AUTH_MODE: 'open', UNADDRESSED_EVENTS: 'refuse' }, 'refuse'],
  [{ UNADDRESSED_EVENTS: 'all' }, 'all'],
])('[RT.4] with %j an event that names nobody: %s', (env, unaddressed) => {
  const config = readPublisherConfig({ REDIS_URL, JWT_SECRET: secret, ...env });
  expect(publisherPolicy(config).unaddressed).toBe(unaddressed);
});

test('lists have commas; pages on loopback are allowed in open mode', () => {
  const config = readPublisherConfig({
    REDIS_URL,
    AUTH_MODE: 'open',
    PUBLISH_API_KEYS: 'one, two', // short keys do in open mode
    CORS_ORIGIN: 'http://localhost:3000,https://yourdomain.com',
  });
  const { apiKeys, origins } = publisherPolicy(config);
  expect(apiKeys).toEqual(['one', 'two']);
  expect(origins).toEqual({
    allowed: ['http://localhost:3000', 'https://yourdomain.com'],
    loopback: true,
    hosts: [],
  });
});

test('[MEM] no event may be larger than what every part of the system takes', () => {
  const env = { REDIS_URL, JWT_SECRET: secret, MAX_EVENT_SIZE: '1048577' };
  expect(() => readPublisherConfig(env)).toThrow(/MAX_EVENT_SIZE/);
  expect(readPublisherConfig({ ...env, MAX_EVENT_SIZE: '1048576' })).toBeDefined();
  const small = { ...env, MAX_EVENT_SIZE: '70000', MAX_BATCH_SIZE: '69999' };
  const sentence = 'MAX_BATCH_SIZE must be at least MAX_EVENT_SIZE, which is 70000';
  expect(() => readPublisherConfig(small)).toThrow(sentence);
});

test('all problems are reported at once', () => {
  const env = { PORT: 'abc', AUTH_MODE: 'maybe', REDIS_URL: 'http://x', MAX_EVENT_SIZE: '0' };
  expect(() => readPublisherConfig(env)).toThrow(/PORT.*AUTH_MODE|AUTH_MODE.*PORT/s);
  expect(() => readPublisherConfig(env)).toThrow(/REDIS_URL/);
  expect(() => readPublisherConfig(env)).toThrow(/MAX_EVENT_SIZE/);
});
