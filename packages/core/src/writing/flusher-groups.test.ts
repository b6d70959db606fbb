import { FakeConnection } from '@leque/testkit/fakes';
import { expect, test } from 'vitest';
import { slowConnection, startFlusher } from '../../test/flusher-under-test.ts';
import { QUANTUM } from './flusher.ts';

test('flushing yields after a few milliseconds and continues in the next turn', () => {
  const { clock, open } = startFlusher();
  const sockets = Array.from({ length: 1000 }, () => open(slowConnection(clock, 0.1)));
  for (const { send } of sockets) send('a');
  clock.endTurn();
  const reached = () => sockets.filter(({ connection }) => connection.sent.length === 1).length;
  expect(reached()).toBeGreaterThan(0);
  expect(reached()).toBeLessThanOrEqual(2 * QUANTUM);
  for (let turns = 0; turns < 20; turns += 1) clock.endTurn();
  expect(reached()).toBe(1000);
});

test('a small group does not wait for a large one that was touched before it', () => {
  const { clock, flusher, open } = startFlusher();
  const large = Array.from({ length: 2000 }, () => open(slowConnection(clock, 0.01)));
  for (const { send } of large) send('a');
  flusher.endGroup();
  const small = open();
  small.send('b');
  clock.endTurn();
  expect(small.connection.sent).toEqual(['b']);
  expect(large.some(({ connection }) => connection.sent.length === 0)).toBe(true);
});

test('groups take turns of one quantum', () => {
  const { clock, flusher, open } = startFlusher();
  const order: string[] = [];
  const group = (name: string) => {
    for (let count = 0; count < 2 * QUANTUM; count += 1) {
      const connection = new FakeConnection();
      connection.write = () => void order.push(name);
      open(connection).send('x');
    }
    flusher.endGroup();
  };
  group('a');
  group('b');
  clock.endTurn();
  const turns = ['a', 'b', 'a', 'b'].flatMap((name) => Array<string>(QUANTUM).fill(name));
  expect(order).toEqual(turns);
});

test('the first quantum of a turn is flushed at once, unless the rotation makes it a later one', () => {
  const { clock, flusher, open } = startFlusher(0);
  const sockets = Array.from({ length: 2 * QUANTUM }, () => open());
  const isFirstOut: boolean[] = [];
  const touchAll = {
    endTurn() {
      const [first] = sockets;
      const before = first?.connection.writes.length;
      for (const { send } of sockets.slice(0, QUANTUM)) send('x');
      flusher.endQuantum();
      isFirstOut.push(first?.connection.writes.length !== before);
      for (const { send } of sockets.slice(QUANTUM)) send('x');
      flusher.endQuantum();
      flusher.endGroup();
    },
  };
  for (let turn = 0; turn < 4; turn += 1) {
    flusher.atEndOfTurn(touchAll);
    clock.endTurn();
  }
  expect(isFirstOut).toEqual([true, false, true, false]);
});

test('nothing is flushed at once while a group of an earlier turn is unfinished', () => {
  const { clock, flusher, open } = startFlusher();
  const order: string[] = [];
  const touch = (name: string, ms: number) => {
    for (let count = 0; count < QUANTUM; count += 1) {
      const connection = slowConnection(clock, ms);
      const write = connection.write.bind(connection);
      connection.write = (frame) => {
        order.push(name);
        write(frame);
      };
      open(connection).send('x');
    }
  };
  for (let quanta = 0; quanta < 2; quanta += 1) touch('early', 0.1);
  clock.endTurn();
  expect(order).toHaveLength(QUANTUM); // the slice is over
  flusher.atEndOfTurn({
    endTurn() {
      touch('late', 0);
      flusher.endQuantum();
      flusher.endGroup();
    },
  });
  clock.endTurn();
  clock.endTurn();
  expect(order.lastIndexOf('early')).toBeLessThan(order.indexOf('late'));
  expect(order).toHaveLength(3 * QUANTUM);
});

test('a small group touched before a large one in the same turn is not part of it', () => {
  const { clock, flusher, open } = startFlusher();
  const small = open();
  small.send('b');
  flusher.endGroup();
  const large = Array.from({ length: 2000 }, () => open(slowConnection(clock, 0.01)));
  for (const { send } of large) send('a');
  flusher.endGroup();
  clock.endTurn();
  expect(small.connection.sent).toEqual(['b']);
});

test('large groups start with another outbox each time', () => {
  const { clock, flusher, open } = startFlusher(0);
  const order: number[] = [];
  const sockets = Array.from({ length: 4 * QUANTUM }, (_, index) => {
    const connection = new FakeConnection();
    connection.write = () => void order.push(index);
    return open(connection);
  });
  const touchAll = {
    endTurn() {
      for (const [index, { send }] of sockets.entries()) {
        send('a');
        if ((index + 1) % QUANTUM === 0) flusher.endQuantum();
      }
      flusher.endGroup();
    },
  };
  for (let round = 0; round < 3; round += 1) {
    flusher.atEndOfTurn(touchAll);
    clock.endTurn();
  }
  const firsts = [0, 1, 2].map((round) => order[round * sockets.length]);
  expect(firsts).toEqual([0, QUANTUM, 2 * QUANTUM]);
  expect(order).toHaveLength(3 * sockets.length);
});
