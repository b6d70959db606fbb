import { historyOptions } from '@leque/core';
import { FakeClock, makeEvent, upTo } from '@leque/testkit/fakes';
import { expect, test } from 'vitest';
import { MemoryStore } from './memory-store.ts';

const DAY_MS = 24 * 3600 * 1000;
const limit = { size: 10, ttlMs: 300_000 };
const limits = {
  history: { project: limit, user: limit, all: limit },
  idempotencyTtlMs: 1000,
  firehose: true,
};

function startStore() {
  const clock = new FakeClock();
  const store = new MemoryStore(limits, clock);
  /** Lets time pass, and somebody use the store. */
  const passing = (ms: number) => {
    clock.advance(ms);
    store.position('all');
  };
  return { store, passing };
}

test('[GAP] the epoch of an idle channel is kept for a week after its last use', () => {
  const { store, passing } = startStore();
  const position = store.position('project:P');
  passing(6 * DAY_MS);
  expect(store.position('project:P')).toEqual(position);
  passing(6 * DAY_MS);
  expect(store.history('project:P', position, upTo(10)).complete).toBe(true);
  passing(DAY_MS);
  expect(store.history('project:P', position, upTo(10)).complete).toBe(false);
});

test('of very many idle channels the longest unused are forgotten, never those with subscribers', () => {
  const { store, passing } = startStore();
  store.subscribe('user:subscribed', () => {});
  const subscribed = store.position('user:subscribed');
  const positions = Array.from({ length: 60_000 }, (_, n) => store.position(`user:${n}`));
  store.position('user:0');
  passing(1000);
  const isKept = (n: number) => store.history(`user:${n}`, positions[n], upTo(10)).complete;
  expect(isKept(0)).toBe(true);
  expect(isKept(1)).toBe(false);
  expect(isKept(9_000)).toBe(false);
  expect(isKept(59_999)).toBe(true);
  expect(store.position('user:subscribed')).toEqual(subscribed);
});

test('HISTORY_RULES give channels histories of their own size and time', () => {
  const clock = new FakeClock();
  const settings = {
    ...{ HISTORY_PROJECT_SIZE: 2, HISTORY_PROJECT_TTL: 300, HISTORY_USER_SIZE: 2 },
    ...{ HISTORY_USER_TTL: 300, HISTORY_ALL_SIZE: 2, HISTORY_ALL_TTL: 300, IDEMPOTENCY_TTL: 300 },
    HISTORY_RULES: 'project:stream:* size=5 ttl=600',
    FIREHOSE: 'on' as const,
  };
  const store = new MemoryStore(historyOptions(settings), clock);
  const channels = ['project:stream:1', 'project:P'];
  const kept = () =>
    channels.map((each) => store.history(each, undefined, upTo(9)).publications.length);
  for (const channel of channels) {
    for (let n = 1; n <= 7; n += 1) store.append(makeEvent(channel, { n }));
  }
  expect(kept()).toEqual([5, 2]);
  clock.advance(301_000);
  expect(kept()).toEqual([5, 0]);
});
