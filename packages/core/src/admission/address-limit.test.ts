import { expect, test } from 'vitest';
import { AddressLimit } from './address-limit.ts';

test('[LIVE] an address gets as many connections as allowed, and others get theirs', () => {
  const limit = new AddressLimit(2);
  const leaveFirst = limit.enter(() => 'a');
  limit.enter(() => 'a');
  expect(() => limit.enter(() => 'a')).toThrow(
    'your address has 2 connections to this node already',
  );
  limit.enter(() => 'b');
  leaveFirst?.();
  leaveFirst?.();
  limit.enter(() => 'a');
  expect(() => limit.enter(() => 'a')).toThrow();
});

test('0 means no limit, and the address is not looked up', () => {
  const limit = new AddressLimit(0);
  const addressOf = (): string => {
    throw new Error('looked up');
  };
  const leaves = Array.from({ length: 3 }, () => limit.enter(addressOf));
  expect(leaves).toEqual([undefined, undefined, undefined]);
});
