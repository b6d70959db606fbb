import { expect, test } from 'vitest';
import { parseRedisUrl } from './redis-address.ts';

test('a Sentinel URL has sentinels, and the name of their master', () => {
  const url = 'rediss+sentinel://ana:p%40s%3As@a:1,b.example.org,[::1]:3/main-1/0';
  expect(parseRedisUrl(url)).toEqual({
    kind: 'sentinel',
    hosts: [
      { host: 'a', port: 1 },
      { host: 'b.example.org', port: 26_379 },
      { host: '::1', port: 3 },
    ],
    name: 'main-1',
    sentinels: { tls: {} },
    username: 'ana',
    password: 'p@s:s',
    tls: {},
  });
});

test('a Redis Cluster URL has some of its servers', () => {
  expect(parseRedisUrl('redis+cluster://:secret@127.0.0.1:7001,b')).toEqual({
    kind: 'cluster',
    hosts: [
      { host: '127.0.0.1', port: 7001 },
      { host: 'b', port: 6379 },
    ],
    username: undefined,
    password: 'secret',
    tls: undefined,
  });
});

test.for([
  ['redis://localhost', 'localhost', 6379],
  ['redis://127.0.0.1:7000/', '127.0.0.1', 7000],
  ['redis://[::1]:7000/0', '::1', 7000],
  ['redis://[fe80::1]', 'fe80::1', 6379],
] as const)('%s names one server', ([url, host, port]) => {
  expect(parseRedisUrl(url)).toEqual({
    kind: 'server',
    host,
    port,
    username: undefined,
    password: undefined,
    tls: undefined,
  });
});

const PASSWORDS = ['p@ss', '100%sure', 'a%zz', 'a+b=', 'a/b', 'a#b', 'a?b', '%2F', 'a:b', 'ü€ 1'];
const KINDS = ['redis://{}@a:1', 'redis+sentinel://{}@a:1/main', 'redis+cluster://{}@a:1'];

test.for(KINDS.flatMap((kind) => PASSWORDS.map((password) => [kind, password] as const)))(
  '%s takes the URL-encoded password %s',
  ([kind, password]) => {
    const url = kind.replace('{}', `:${encodeURIComponent(password)}`);
    expect(parseRedisUrl(url)).toMatchObject({ password });
  },
);

test.for(KINDS.flatMap((kind) => PASSWORDS.map((password) => [kind, password] as const)))(
  '%s takes the password %s as it is, or refuses it without quoting it',
  ([kind, password]) => {
    let parsed: unknown;
    try {
      parsed = parseRedisUrl(kind.replace('{}', `:${password}`));
    } catch (error) {
      expect(String(error)).toMatch(/REDIS_URL cannot be read.*(%25|URL-encoded)/);
      return expect(String(error)).not.toContain(password);
    }
    expect(parsed).toMatchObject({ password: password === '%2F' ? '/' : password });
  },
);
