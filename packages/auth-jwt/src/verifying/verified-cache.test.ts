import { type Clock, Grants, type Identity, systemClock } from '@leque/core';
import { expect, test } from 'vitest';
import { VerifiedCache } from './verified-cache.ts';

const START = 1_700_000_000_000;
const TOLERANCE_MS = 5_000;
const LIMITS = {
  entries: 1_000,
  length: 4_000_000,
  trustedMs: 1_000,
  toleranceMs: TOLERANCE_MS,
};
const KEYS = {};

function identityUntil(expiresAt: number): Identity {
  const grants = new Grants({ userId: 'alice', projects: [], scopes: [] });
  return { userId: 'alice', grants, expiresAt };
}

function cacheOn(time: { now: number }, limits = LIMITS): VerifiedCache<Identity> {
  const clock: Clock = { ...systemClock, now: () => time.now };
  return new VerifiedCache(clock, limits);
}

test('a token is known for a second after it was verified', () => {
  const time = { now: START };
  const cache = cacheOn(time);
  const identity = identityUntil(START + 60_000);
  expect(cache.get('token', KEYS)).toBeUndefined();
  cache.add('token', identity, KEYS);
  expect(cache.get('token', KEYS)).toBe(identity);
  expect(cache.get('another', KEYS)).toBeUndefined();
  time.now += 999;
  expect(cache.get('token', KEYS)).toBe(identity);
  time.now += 1;
  expect(cache.get('token', KEYS)).toBeUndefined();
  cache.add('token', identity, KEYS);
  expect(cache.get('token', KEYS)).toBe(identity);
});

test('a token that expires in that second is not known beyond it', () => {
  const time = { now: START };
  const cache = cacheOn(time);
  cache.add('token', identityUntil(START - TOLERANCE_MS + 10), KEYS);
  expect(cache.get('token', KEYS)).toBeDefined();
  time.now += 10;
  expect(cache.get('token', KEYS)).toBeUndefined();
});

test('a token is unknown once the keys have changed', () => {
  const cache = cacheOn({ now: START });
  cache.add('token', identityUntil(START + 60_000), KEYS);
  expect(cache.get('token', {})).toBeUndefined();
  expect(cache.get('token', KEYS)).toBeDefined();
});

test('what is trusted without an end is known until it expires', () => {
  const time = { now: START };
  const cache = cacheOn(time, { ...LIMITS, trustedMs: Number.POSITIVE_INFINITY });
  const identity = identityUntil(START + 60_000);
  cache.add('grant', identity, KEYS);
  time.now += 60_000 + TOLERANCE_MS - 1;
  expect(cache.get('grant', KEYS)).toBe(identity);
  time.now += 1;
  expect(cache.get('grant', KEYS)).toBeUndefined();
});

test('[LIVE] JWTs that are very long take the place of others', () => {
  const cache = cacheOn({ now: START }, { ...LIMITS, length: 100 });
  const identity = identityUntil(START + 60_000);
  cache.add('x'.repeat(60), identity, KEYS);
  cache.add('y'.repeat(60), identity, KEYS);
  expect(cache.get('x'.repeat(60), KEYS)).toBeUndefined();
  expect(cache.get('y'.repeat(60), KEYS)).toBe(identity);
});

test('a clock that is put back prolongs nothing', () => {
  const time = { now: START };
  const cache = cacheOn(time);
  cache.add('token', identityUntil(START + 60_000), KEYS);
  time.now -= 3_600_000;
  expect(cache.get('token', KEYS)).toBeUndefined();
});

test('[LIVE] at most a thousand tokens are known, the ones that were verified last', () => {
  const cache = cacheOn({ now: START });
  const identity = identityUntil(START + 60_000);
  const tokens = Array.from({ length: 1_001 }, (_, index) => `token-${index}`);
  cache.add('token-1', identity, KEYS);
  for (const token of tokens) cache.add(token, identity, KEYS);
  expect(tokens.filter((token) => cache.get(token, KEYS) === undefined)).toEqual(['token-0']);
});
