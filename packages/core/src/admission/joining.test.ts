import { FakeClock } from '@leque/testkit/fakes';
import { expect, test } from 'vitest';
import { type JoinFailure, Joining } from './joining.ts';

function startJoining(places: number) {
  const clock = new FakeClock();
  const limit = { places };
  const joining = new Joining(clock, () => limit.places);
  const counters = { joining: 0 };
  const cuts: [string, JoinFailure][] = [];
  const names = new Map<string, object>();
  const come = (name: string, withinMs?: number) => {
    const connection = names.get(name) ?? {};
    names.set(name, connection);
    const cut = (reason: JoinFailure) => void cuts.push([name, reason]);
    joining.add(connection, { counters, cut, ...(withinMs !== undefined && { withinMs }) });
  };
  const leave = (name: string) => joining.remove(names.get(name) ?? {});
  return { clock, limit, joining, counters, cuts, come, leave };
}

test('[LIVE] the connection that has been joining for longest makes room for the next one', () => {
  const { joining, counters, cuts, come, leave } = startJoining(2);
  for (const name of ['a', 'b', 'c']) come(name);
  leave('b');
  come('d');
  come('e');
  expect(cuts).toEqual([
    ['a', 'crowded'],
    ['c', 'crowded'],
  ]);
  expect([joining.size, counters.joining]).toEqual([2, 2]);
});

test('[LIVE] a connection that does not join in time is cut, and its timer ends with it', () => {
  const { clock, counters, cuts, come, leave } = startJoining(10);
  come('late', 5000);
  come('joins', 5000);
  come('unhurried');
  leave('joins');
  clock.advance(4999);
  expect(cuts).toEqual([]);
  clock.advance(1);
  expect(cuts).toEqual([['late', 'late']]);
  expect([counters.joining, clock.pending]).toEqual([1, 0]);
});

test('[CNT] a connection counts once, however often it is added and removed', () => {
  const { counters, cuts, come, leave, clock } = startJoining(10);
  come('a', 5000);
  clock.advance(3000);
  come('a', 5000);
  expect(counters.joining).toBe(1);
  clock.advance(3000);
  expect(cuts).toEqual([]);
  leave('a');
  leave('a');
  expect(counters.joining).toBe(0);
});

test('[LIVE] when sessions take the places, joining connections have to go; the newest one stays', () => {
  const { limit, cuts, come, joining } = startJoining(3);
  for (const name of ['a', 'b', 'c']) come(name);
  limit.places = -5;
  come('d');
  expect(cuts.map(([name]) => name)).toEqual(['a', 'b', 'c']);
  expect(joining.size).toBe(1);
});
