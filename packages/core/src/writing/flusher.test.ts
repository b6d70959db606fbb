import { expect, test } from 'vitest';
import { slowConnection, startFlusher, WINDOW_MS } from '../../test/flusher-under-test.ts';

test('a quiet socket is written to at the end of the turn', () => {
  const { clock, open } = startFlusher();
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

test('a busy socket is written to once per window, with everything queued in it', () => {
  const { clock, open } = startFlusher();
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
  expect(clock.pending).toBe(0);
});

test('without a window every turn is written to the socket', () => {
  const { clock, open } = startFlusher(0);
  const { connection, send } = open();
  for (const text of ['a', 'b']) {
    send(text);
    clock.endTurn();
  }
  expect(connection.writes).toEqual([['a'], ['b']]);
});

test('under load a few busy sockets do not make others wait longer', () => {
  const { clock, open } = startFlusher();
  const quiet = Array.from({ length: 40 }, () => open(slowConnection(clock, 0.5)));
  const busy = open();
  for (let turns = 0; turns < 100; turns += 1) {
    for (const { send } of quiet) send('x');
    busy.send('a');
    clock.endTurn();
    busy.send('b');
    clock.endTurn();
    clock.advance(WINDOW_MS); // the others took 20 ms, the longest window
    clock.endTurn();
    expect(busy.connection.sent, `turn ${turns}`).toHaveLength(2 * (turns + 1));
  }
});

test('an outbox flushed out of turn is not written twice', () => {
  const { clock, flusher, open } = startFlusher();
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

test('a busy socket that falls due during other writes is flushed soon', () => {
  const { clock, open } = startFlusher();
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
  const { clock, open } = startFlusher();
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

test('under load turn tasks run together, at most one window apart, and none is lost', () => {
  const { clock, flusher, open } = startFlusher();
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
  expect(clock.pending).toBe(0);
});

test('[LIVE] a closed flusher leaves no timer', () => {
  const { clock, flusher, open } = startFlusher();
  const { send } = open();
  send('a');
  clock.endTurn();
  send('b');
  clock.endTurn();
  expect(clock.pending).toBe(1);
  flusher.close();
  expect(clock.pending).toBe(0);
});
