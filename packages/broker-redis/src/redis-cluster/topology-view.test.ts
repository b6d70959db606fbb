import { expect, test } from 'vitest';
import { hostPortOf, nameOf } from './topology-view.ts';

test.for([
  ['127.0.0.1:7001', '127.0.0.1', 7001],
  ['redis-2.example.org:6379', 'redis-2.example.org', 6379],
  ['::1:7001', '::1', 7001],
  ['2001:db8::7:6379', '2001:db8::7', 6379],
] as const)(
  'the address %s of a redirection is taken apart and put together',
  ([address, host, port]) => {
    expect(hostPortOf(address)).toEqual({ host, port });
    expect(nameOf({ host, port })).toBe(address);
  },
);
