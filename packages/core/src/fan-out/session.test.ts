import { CLOSE } from '@leque/protocol';
import { FakeClock, FakeConnection, RecordingTelemetry } from '@leque/testkit/fakes';
import { expect, test } from 'vitest';
import { identity } from '../../test/samples.ts';
import { FanOutCounters } from '../writing/fan-out-counters.ts';
import { Flusher } from '../writing/flusher.ts';
import { Pace } from '../writing/pace.ts';
import { Session, type SessionDeps } from './session.ts';

const frame = (text: string) => ({ text, byteLength: 10 });

function open() {
  const clock = new FakeClock();
  const telemetry = new RecordingTelemetry();
  const counters = new FanOutCounters();
  const connection = new FakeConnection();
  const flusher = new Flusher(clock, new Pace(0), new FanOutCounters().sliceSeconds);
  const context: SessionDeps = {
    flusher,
    onDropping: () => {},
    outboxMaxBytes: 25,
    counters,
    now: () => clock.now(),
    onSlow: ({ id: sessionId }, queuedBytes) =>
      telemetry.report({ type: 'slow_consumer', sessionId, queuedBytes }),
  };
  const session = new Session(connection, identity('alice'), context);
  return { session, connection, clock, telemetry, counters };
}

test('frames sent before the close are written, and later ones are not', () => {
  const { session, connection, clock } = open();
  session.send(frame('last words'), 1);
  session.close(CLOSE.drained, '500');
  session.send(frame('too late'), 1);
  session.close(CLOSE.forbidden, 'a second reason');
  clock.endTurn();
  expect(connection.sent).toEqual(['last words']);
  expect(connection.closed).toEqual({ code: CLOSE.drained, reason: '500' });
  expect(session.open).toBe(false);
  expect(session.closeCode).toBe(CLOSE.drained);
});

test('[MEM] [ORD] frames are written and counted as their connection stamps them', () => {
  const { session, connection, clock } = open();
  const stamped: unknown[] = [];
  connection.stamp = (plain) => {
    stamped.push(plain);
    return { ...frame('stamped'), byteLength: 20 };
  };
  connection.reads = false;
  session.send(frame('a'), 1);
  session.send(frame('b'), 1);
  clock.endTurn();
  expect(stamped).toEqual([frame('a'), frame('b')]);
  expect(connection.sent).toEqual(['stamped']);
  expect(connection.closed?.code).toBe(CLOSE.slowConsumer);
});

test('[MEM] a slow consumer is closed without its queued frames', () => {
  const { session, connection, telemetry, counters, clock } = open();
  connection.reads = false;
  for (const text of ['a', 'b', 'c', 'd']) session.send(frame(text), 1);
  clock.endTurn();
  expect(connection.closed?.code).toBe(CLOSE.slowConsumer);
  expect(connection.sent).toEqual(['a', 'b']);
  expect(counters.messagesSent).toBe(2);
  expect(telemetry.facts).toEqual([
    { type: 'slow_consumer', sessionId: session.id, queuedBytes: 20 },
  ]);
});

test('[GAP] a client that reads is not closed for a burst larger than its outbox', () => {
  const { session, connection, clock } = open();
  for (const text of ['a', 'b', 'c', 'd', 'e']) session.send(frame(text), 1);
  clock.endTurn();
  expect(connection.closed).toBeUndefined();
  expect(connection.sent).toEqual(['a', 'b', 'c', 'd', 'e']);
});

test('nothing is written to a connection that is gone', () => {
  const { session, connection, clock } = open();
  session.send(frame('a'), 1);
  session.discard();
  session.send(frame('b'), 1);
  clock.endTurn();
  expect(connection.writes).toEqual([]);
  expect(session.closeCode).toBeUndefined();
});
