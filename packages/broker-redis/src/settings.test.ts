import { readConfig } from '@leque/service';
import { expect, test } from 'vitest';
import { adapterKey } from './connection/adapter-connection.ts';
import { RedisSettings, redisRule, usesSentinelTls } from './settings.ts';

const read = (env: Record<string, string>) => readConfig(RedisSettings, env, [redisRule]);

test('the defaults are those of the contract', () => {
  const settings = read({ REDIS_URL: 'redis://localhost' });
  expect(settings).toMatchObject({ REDIS_KEY_PREFIX: 'leque:', FIREHOSE: 'on' });
});

test.for([
  'redis://localhost',
  'redis://127.0.0.1:7000/0',
  'rediss://user:p%40ss@redis.example.org:6380',
  'redis://:secret@[::1]:6379',
  'redis+sentinel://a:1,b,[::1]:3/main',
  'redis+cluster://a:1',
  'redis+cluster://:secret@a,b:7001',
  'rediss+sentinel://user:p%40ss@a:1/main-1/0',
])('%s is taken', (url) => {
  expect(read({ REDIS_URL: url }).REDIS_URL).toBe(url);
});

test.for([
  ['redis+sentinel://a:1,b:2', 'cannot be read as redis+sentinel://host:port,…/name'],
  ['redis+sentinel://a:1,b:x/main', 'cannot be read'],
  ['redis+sentinel://a:1,,b:2/main', 'cannot be read'],
  ['redis+cluster://a:1/0', 'cannot be read as redis+cluster://host:port,…'],
  ['redis+cluster://a:99999', 'cannot be read'],
  ['redis+cluster://user:100%@a:1', 'cannot be read'],
  ['redis+other://a:1', 'REDIS_URL must begin with redis://'],
  ['http://user:secret@localhost', 'REDIS_URL must begin with redis://'],
  ['localhost', 'REDIS_URL=localhost has no redis:// before it'],
  ['localhost:6379', 'REDIS_URL=localhost:6379 has no redis:// before it'],
  ['redis://', 'cannot be read'],
  ['redis://a,b', 'cannot be read as redis://host:port'],
  ['redis://a/main', 'cannot be read as redis://host:port'],
  ['redis://a?db=2', 'has options after a ? or #'],
  ['redis://a/2', 'REDIS_URL names database 2, but the messages of Redis reach all databases'],
  ['redis+sentinel://a/main/1', 'REDIS_KEY_PREFIX of its own'],
  ['redis://:p@ss/word@host:1', 'cannot be read'],
])('%s is refused, and the reason said', ([url = '', reason = '']) => {
  expect(() => read({ REDIS_URL: url })).toThrow(reason);
});

test('a prefix cannot break the hash tags', () => {
  expect(() => read({ REDIS_URL: 'redis://localhost', REDIS_KEY_PREFIX: '{x}' })).toThrow(
    'REDIS_KEY_PREFIX must be',
  );
});

test.for([
  [{ REDIS_TLS_CA_FILE: '/nowhere/ca.pem' }, 'REDIS_TLS_CA_FILE cannot be read: ENOENT'],
  [
    { REDIS_TLS_CERT_FILE: '/nowhere/cert.pem' },
    'REDIS_TLS_CERT_FILE and REDIS_TLS_KEY_FILE need each other',
  ],
  [
    { REDIS_TLS_CERT_FILE: import.meta.filename, REDIS_TLS_KEY_FILE: import.meta.filename },
    'cannot be used as PEM, or do not fit each other',
  ],
  [{ REDIS_URL: 'redis://a', REDIS_TLS_SERVERNAME: 'redis' }, 'does not begin with rediss'],
] as const)('%j is refused with %s', ([env, reason]) => {
  expect(() => read({ REDIS_URL: 'rediss://a', ...env })).toThrow(reason);
});

test('only the default prefix shares the channels of Socket.IO emitters without a key', () => {
  expect(adapterKey(read({ REDIS_URL: 'redis://a' }).REDIS_KEY_PREFIX)).toBe('socket.io');
  expect(adapterKey('staging:')).toBe('staging:socket.io');
});

test.for([
  ['rediss+sentinel://a/main', undefined, true],
  ['rediss+sentinel://a/main', 'off', false],
  ['redis+sentinel://a/main', 'on', true],
] as const)('%s with REDIS_SENTINEL_TLS=%s: its sentinels use TLS: %s', ([url, wanted, uses]) => {
  const tls = { REDIS_TLS_SERVERNAME: 'redis', ...(wanted && { REDIS_SENTINEL_TLS: wanted }) };
  const settings = read({ REDIS_URL: url, ...tls });
  expect(usesSentinelTls(settings, url.startsWith('rediss'))).toBe(uses);
});
