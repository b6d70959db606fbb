import { expect, test } from 'vitest';
import { redisCli, redisHosts } from './printed-redis.ts';

const SECRETS = [
  'se@cret',
  '@@',
  'a:b@c',
  'p%40ss',
  'redis:\\\\x@y',
  'sécret',
  'a,b@c',
  '127.0.0.1',
];
const SHAPES = [
  ['redis://{}10.0.0.5:6379', '10.0.0.5:6379', 'redis-cli -u redis://{}10.0.0.5:6379'],
  [
    'rediss://{}redis.example/0',
    'redis.example:6379',
    'redis-cli -u rediss://{}redis.example:6379',
  ],
  ['redis://{}[::1]:7000', '[::1]:7000', 'redis-cli -u redis://{}[::1]:7000'],
  ['redis+cluster://{}a:1,b', 'a:1,b:6379', 'redis-cli -c -u redis://{}a:1'],
  ['redis+sentinel://{}a,b:2/main', 'a:26379,b:2/main', 'redis-cli -h THE_MASTER'],
] as const;

test.each(SHAPES)('%s without a password is printed as it is', (url, hosts, command) => {
  expect(redisHosts(url.replace('{}', ''))).toBe(hosts);
  expect(redisCli(url.replace('{}', ''))).toBe(command.replace('{}', ''));
});

test.each(SHAPES)('the password in %s is not printed, whatever is in it', (url, hosts, command) => {
  for (const secret of SECRETS) {
    for (const user of ['', 'app']) {
      const full = url.replace('{}', () => `${user}:${secret}@`);
      expect(redisHosts(full)).toBe(hosts);
      expect(redisCli(full)).toBe(command.replace('{}', `${user || 'default'}:PASSWORD@`));
    }
  }
});
