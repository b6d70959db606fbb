import { expect, test } from 'vitest';
import { AddressLimit } from './address-limit.ts';

test('[LIVE] an address gets as many connections as allowed, and others get theirs', () => {
  const limit = new AddressLimit(2);
  const leaveFirst = limit.enter('a');
  limit.enter('a');
  expect(() => limit.enter('a')).toThrow('your address has 2 connections to this node already');
  limit.enter('b');
  leaveFirst?.();
  leaveFirst?.();
  limit.enter('a');
  expect(() => limit.enter('a')).toThrow();
});

test('0 means no limit', () => {
  const limit = new AddressLimit(0);
  expect(Array.from({ length: 3 }, () => limit.enter('a'))).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});
