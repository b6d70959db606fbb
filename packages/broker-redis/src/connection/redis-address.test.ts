import { expect, test } from 'vitest';
import { tryParseRedisUrl } from './redis-address.ts';

test('a Sentinel URL has sentinels, the name of their master and the database', () => {
  const url = 'rediss+sentinel://ana:p%40s%3As@a:1,b.example.org,[::1]:3/main-1/2';
  expect(tryParseRedisUrl(url)).toEqual({
    kind: 'sentinel',
    hosts: [
      { host: 'a', port: 1 },
      { host: 'b.example.org', port: 26_379 },
      { host: '::1', port: 3 },
    ],
    name: 'main-1',
    db: 2,
    sentinels: {},
    username: 'ana',
    password: 'p@s:s',
    tls: true,
  });
});

test('a Redis Cluster URL has some of its servers', () => {
  expect(tryParseRedisUrl('redis+cluster://:secret@127.0.0.1:7001,b')).toEqual({
    kind: 'cluster',
    hosts: [
      { host: '127.0.0.1', port: 7001 },
      { host: 'b', port: 6379 },
    ],
    username: undefined,
    password: 'secret',
    tls: false,
  });
});

test('the URL of one server stays as it is', () => {
  const url = 'redis://127.0.0.1:7000/2';
  expect(tryParseRedisUrl(url)).toEqual({ kind: 'server', url });
});
