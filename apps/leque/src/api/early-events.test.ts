import { expect, test } from 'vitest';
import { EarlyEvents } from './early-events.ts';
import type { Followed } from './followed.ts';

const event = (cursor: string): Followed => {
  return { kind: 'event', text: '', type: 'x', timestamp: '', data: {}, cursor };
};
const answer = (kind: 'ready' | 'gap', cursor: string): Followed => {
  return { kind, cursor, isAnswer: true };
};

function taken(since: string | undefined, ...followed: Followed[]): (string | undefined)[] {
  const early = new EarlyEvents(since);
  return followed.flatMap((each) => [...early.take(each)]).map(({ cursor }) => cursor);
}

test('[RE3.7] what comes before the answer counts when everything was recovered, unless the cursor covers it', () => {
  const before = [event('e.5'), event('e.6'), event('e.7')];
  expect(taken('e.5', ...before, answer('ready', 'e.7'), event('e.8'))).toEqual([
    'e.6',
    'e.7',
    'e.7',
    'e.8',
  ]);
});

test('[RE3.7] what comes before the answer is discarded when events are missing', () => {
  expect(taken('e.5', event('e.8'), answer('gap', 'e.8'), event('e.9'))).toEqual(['e.8', 'e.9']);
});

test('[RE3.7] without an answer nothing counts, a gap neither', () => {
  expect(taken('e.5', event('e.8'), { kind: 'gap', cursor: 'e.9' })).toEqual([]);
});
