import { expect, test } from 'vitest';
import { FakeClock, FakeConnection } from '../test/fakes.ts';
import { Flusher, QUANTUM } from './flusher.ts';
import { Outbox } from './outbox.ts';

const WINDOW_MS = 5;

/** A clock whose time also passes with every write, as that of a busy process does. */
class BusyClock extends FakeClock {
  passed = 0;

  override monotonic(): number {
    return super.monotonic() + this.passed;
  }
}

function start(windowMs = WINDOW_MS) {
  const clock = new BusyClock();
  const flusher = new Flusher(clock, windowMs);
  const open = (connection = new FakeConnection()) => {
    const outbox = new Outbox(connection, 1_000_000);
    const send = (text: string) => {
      outbox.push({ text, byteLength: 10 } as never);
      flusher.touch(outbox);
    };
    return { connection, outbox, send };
  };
  return { clock, flusher, open };
}

/** A connection on which each write takes so long. */
function slowConnection(clock: BusyClock, ms: number): FakeConnection {
  const connection = new FakeConnection();
  const write = connection.write.bind(connection);
  connection.write = (frame) => {
    clock.passed += ms;
    write(frame);
  };
  return connection;
}

test('a quiet socket is written to at the end of the turn, and waits for nothing', () => {
  const { clock, open } = start();
  const { connection, send } = open();
  send('a');
  expect(connection.writes).toEqual([]);
  clock.endTurn();
  expect(connection.writes).toEqual([['a']]);
  clock.advance(WINDOW_MS);
  send('b');
  clock.endTurn();
  expect(connection.writes).toEqual([['a'], ['b']]);
});

test('a busy socket is written to once per window, with everything that came in it', () => {
  const { clock, open } = start();
  const { connection, send } = open();
  for (let ms = 0; ms < 20; ms += 1) {
    send(String(ms));
    clock.endTurn();
    clock.advance(1);
    clock.endTurn();
  }
  clock.advance(WINDOW_MS);
  clock.endTurn();
  expect(connection.sent).toEqual(Array.from({ length: 20 }, (_, ms) => String(ms)));
  expect(connection.writes.length).toBeLessThanOrEqual(20 / WINDOW_MS + 1);
  expect(clock.timers).toBe(0);
});

test('without a window every turn is written', () => {
  const { clock, open } = start(0);
  const { connection, send } = open();
  for (const text of ['a', 'b']) {
    send(text);
    clock.endTurn();
  }
  expect(connection.writes).toEqual([['a'], ['b']]);
});

test('flushing yields after a few milliseconds, and goes on in the next turn', () => {
  const { clock, open } = start();
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
  const { clock, flusher, open } = start();
  const large = Array.from({ length: 2000 }, () => open(slowConnection(clock, 0.01)));
  for (const { send } of large) send('a');
  flusher.endGroup();
  const small = open();
  small.send('b');
  clock.endTurn();
  expect(small.connection.sent).toEqual(['b']);
  expect(large.some(({ connection }) => connection.sent.length === 0)).toBe(true);
});

test('a small group that is touched in the same turn before a large one is not lost in it', () => {
  const { clock, flusher, open } = start();
  const small = open();
  small.send('b');
  flusher.endGroup();
  const large = Array.from({ length: 2000 }, () => open(slowConnection(clock, 0.01)));
  for (const { send } of large) send('a');
  flusher.endGroup();
  clock.endTurn();
  expect(small.connection.sent).toEqual(['b']);
});

test('the first of a large group is another one each time', () => {
  const { clock, flusher, open } = start(0);
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

test('what is flushed out of turn is not written twice', () => {
  const { clock, flusher, open } = start();
  const { connection, outbox, send } = open();
  send('a');
  flusher.flushNow(outbox);
  clock.endTurn();
  expect(connection.writes).toEqual([['a']]);
  send('b');
  clock.endTurn();
  clock.advance(WINDOW_MS);
  clock.endTurn();
  expect(connection.writes).toEqual([['a'], ['b']]);
});

test('a busy socket that falls due while others are written to is not forgotten for a while', () => {
  const { clock, open } = start();
  const busy = open();
  busy.send('a');
  clock.endTurn();
  clock.advance(WINDOW_MS - 0.5);
  open(slowConnection(clock, 1)).send('x');
  busy.send('b');
  clock.endTurn();
  clock.advance(1);
  clock.endTurn();
  expect(busy.connection.writes).toEqual([['a'], ['b']]);
});

test('[LIVE] no timer is set for a time that has passed', () => {
  const { clock, open } = start();
  const delays: number[] = [];
  const after = clock.after.bind(clock);
  clock.after = (delayMs, task) => {
    delays.push(delayMs);
    return after(delayMs, task);
  };
  const busy = [open(), open()];
  const [first, second] = busy;
  first?.send('a');
  clock.endTurn();
  clock.advance(1);
  second?.send('a');
  clock.endTurn();
  for (const { send } of busy) send('b');
  open(slowConnection(clock, 3 * WINDOW_MS)).send('x');
  clock.endTurn();
  clock.advance(WINDOW_MS);
  clock.endTurn();
  expect(busy.map(({ connection }) => connection.sent)).toEqual(busy.map(() => ['a', 'b']));
  expect(delays).not.toEqual([]);
  expect(Math.min(...delays)).toBeGreaterThanOrEqual(0);
});

test('under load the ends of turns come together, a window apart at most, and none is forgotten', () => {
  const { clock, flusher, open } = start();
  const sockets = Array.from({ length: 10 }, () => open(slowConnection(clock, 0.4)));
  const ends: number[] = [];
  const task = { endTurn: () => void ends.push(clock.monotonic()) };
  const turn = () => {
    flusher.atEndOfTurn(task);
    for (const { send } of sockets) send('a');
    clock.endTurn();
    clock.advance(0.25);
    clock.endTurn();
  };
  for (let turns = 0; turns < 2000; turns += 1) turn();
  clock.advance(WINDOW_MS);
  clock.endTurn();
  expect(ends.length).toBe(2000);
  const atLast = ends.slice(-100);
  expect(new Set(atLast).size).toBeLessThan(atLast.length / 2);
  flusher.close();
  expect(clock.timers).toBe(0);
});

test('[LIVE] a flusher that is closed leaves no timer', () => {
  const { clock, flusher, open } = start();
  const { send } = open();
  send('a');
  clock.endTurn();
  send('b');
  clock.endTurn();
  expect(clock.timers).toBe(1);
  flusher.close();
  expect(clock.timers).toBe(0);
});
