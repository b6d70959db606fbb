import { MemoryBroker, MemoryCluster, MemoryClusterState, MemoryStore } from '@leque/broker-memory';
import { anonymous, CLOSE_TIMEOUT_MS, Hub } from '@leque/core';
import { CLOSE } from '@leque/protocol';
import { FakeClock, FakeConnection, RecordingTelemetry } from '@leque/testkit/fakes';
import { expect, test } from 'vitest';
import { drain } from './drain.ts';

const history = { size: 1, ttlMs: 1000 };
const LIMITS = {
  outboxMaxBytes: 1000,
  slowConsumerRules: () => undefined,
  fanoutWindowMs: 0,
  unsubscribeGraceMs: 0,
  maxSubscriptions: 1,
  replayPage: { publications: 1, bytes: 1 },
};

function startHub(sessions: number) {
  const clock = new FakeClock();
  const limits = { history: { project: history, user: history, all: history } };
  const store = new MemoryStore({ ...limits, idempotencyTtlMs: 1000, firehose: true });
  const state = new MemoryClusterState(new MemoryCluster());
  const ports = { broker: new MemoryBroker(store), state, telemetry: new RecordingTelemetry() };
  const hub = new Hub({ ...ports, clock }, LIMITS);
  const connections: FakeConnection[] = [];
  const connect = () => {
    const connection = new FakeConnection();
    connections.push(connection);
    hub.open(connection, anonymous());
  };
  for (let n = 0; n < sessions; n += 1) connect();
  const closed = () => connections.filter((each) => each.closed !== undefined).length;
  /** Lets time pass, and tasks run that wait for it. */
  const pass = async (ms: number) => {
    clock.advance(ms);
    await new Promise(setImmediate);
  };
  /** Removes closed sessions, as transports do when the client has answered the close. */
  const removeClosed = () => {
    for (const each of [...hub.sessions]) if (!each.open) hub.remove(each);
  };
  return { hub, clock, connections, connect, closed, pass, removeClosed };
}

/** Notes whether a promise has settled, which it does not show itself. */
function watch(work: Promise<void>): { ended: boolean } {
  const watched = { ended: false };
  void work.then(() => {
    watched.ended = true;
  });
  return watched;
}

test('[CC] a drain moves sessions away evenly over its timeout, each with a hint', async () => {
  const { hub, clock, connections, closed, pass, removeClosed } = startHub(20);
  const draining = watch(drain(hub, clock, { timeoutMs: 1000, returnRate: 1000 }));
  const pace: number[] = [];
  for (let step = 0; step < 10; step += 1) {
    pace.push(closed());
    removeClosed();
    await pass(100);
  }
  expect(pace).toEqual([2, 4, 6, 8, 10, 12, 14, 16, 18, 20]);
  expect(draining.ended).toBe(true);
  for (const each of connections) {
    expect(each.closed?.code).toBe(CLOSE.drained);
    expect(Number(each.closed?.reason)).toBeLessThan(1000);
  }
});

test('a drain without a timeout moves all at once', async () => {
  const { hub, clock, closed } = startHub(20);
  void drain(hub, clock, { timeoutMs: 0, returnRate: 1000 });
  expect(closed()).toBe(20);
});

test('[CC] clients that are moved faster than other nodes take them come back over a longer time', async () => {
  const { hub, clock, connections } = startHub(200);
  void drain(hub, clock, { timeoutMs: 0, returnRate: 10 });
  const hints = connections.map(({ closed }) => Number(closed?.reason));
  expect(Math.max(...hints)).toBeGreaterThan(10_000);
  expect(Math.max(...hints)).toBeLessThan(20_000);
});

test('a session that opened during the drain is moved with the last ones', async () => {
  const { hub, clock, connect, closed, pass } = startHub(2);
  void drain(hub, clock, { timeoutMs: 1000, returnRate: 1000 });
  connect();
  for (let step = 0; step < 10; step += 1) await pass(100);
  expect(closed()).toBe(3);
});

test('[LIVE] a drain ends though a client does not answer the close', async () => {
  const { hub, clock, pass } = startHub(1);
  const draining = watch(drain(hub, clock, { timeoutMs: 0, returnRate: 1000 }));
  for (let ms = 0; ms < CLOSE_TIMEOUT_MS; ms += 100) await pass(100);
  expect(draining.ended).toBe(false);
  for (let ms = 0; ms < 1000; ms += 100) await pass(100);
  expect(draining.ended).toBe(true);
});
