import { FakeClock } from '@leque/testkit/fakes';
import { expect, test } from 'vitest';
import { Heartbeats, type HeartbeatTimes } from './heartbeats.ts';

const INTERVAL_MS = 30_000;
const TIMEOUT_MS = 90_000;
const TURN_MS = 1000;

class Client {
  /** Times of all pings, alone and with a heartbeat. */
  readonly pings: number[] = [];
  heardAt = 0;
  beatsAt = 0;
  readonly beats: number[] = [];
  readonly silences: number[] = [];
}

function start(times: HeartbeatTimes = { intervalMs: INTERVAL_MS, timeoutMs: TIMEOUT_MS }) {
  const clock = new FakeClock();
  const since = clock.now();
  const heartbeats = new Heartbeats<Client>(clock, times, {
    beat(client, pings) {
      client.beats.push(clock.now() - since);
      if (pings) client.pings.push(clock.now() - since);
    },
    ping: (client) => client.pings.push(clock.now() - since),
    silent: (client) => client.silences.push(clock.now() - since),
  });
  return { clock, heartbeats };
}

/** The longest time between two successive pings. */
function longestGap(times: readonly number[]): number {
  return Math.max(...times.slice(1).map((time, index) => time - (times[index] ?? 0)));
}

test('a client gets a heartbeat every interval, the first after half of one at the earliest', () => {
  const { clock, heartbeats } = start();
  const clients = Array.from({ length: 100 }, () => new Client());
  for (const client of clients) heartbeats.add(client);
  clock.advance(INTERVAL_MS);
  for (const { beats } of clients) {
    expect(beats).toHaveLength(1);
    expect(beats[0]).toBeGreaterThanOrEqual(INTERVAL_MS / 2);
  }
  expect(new Set(clients.map(({ beats }) => beats[0])).size).toBeGreaterThan(5);
  clock.advance(INTERVAL_MS);
  for (const { beats } of clients) expect(beats[1]).toBe(INTERVAL_MS + (beats[0] ?? 0));
});

test.each([
  { pingMs: 25_000, gap: 24_000, count: 10 },
  { pingMs: 20_000, gap: 20_000, count: 12 },
  { pingMs: 17_200, gap: 15_000, count: 16 },
  { pingMs: 15_000, gap: 15_000, count: 16 },
  { pingMs: 10_000, gap: 10_000, count: 24 },
  { pingMs: 4000, gap: 4000, count: 64 },
  { pingMs: 10, gap: TURN_MS, count: 240 },
  { pingMs: INTERVAL_MS, gap: INTERVAL_MS, count: 8 },
  { pingMs: 60_000, gap: INTERVAL_MS, count: 8 },
])('[WS7.1] no client waits longer than $pingMs ms for a ping, or gets needless pings', (times) => {
  const { pingMs, gap, count } = times;
  const { clock, heartbeats } = start({ intervalMs: INTERVAL_MS, timeoutMs: TIMEOUT_MS, pingMs });
  const clients = Array.from({ length: 200 }, () => new Client());
  for (const client of clients) heartbeats.add(client);
  for (let interval = 0; interval < 8; interval += 1) {
    clock.advance(INTERVAL_MS);
    for (const client of clients) heartbeats.heard(client);
  }
  for (const { beats, pings } of clients) {
    expect(longestGap([0, ...pings])).toBeLessThanOrEqual(gap);
    expect(pings.length).toBeLessThanOrEqual(count);
    expect(beats.length).toBe(8);
    expect(beats[0]).toBeGreaterThanOrEqual(INTERVAL_MS / 2);
    expect(longestGap(beats)).toBe(INTERVAL_MS);
  }
});

test.each([
  ['longer than the interval', TIMEOUT_MS],
  ['that is no multiple of it', 40_500],
  ['as long as the interval', INTERVAL_MS],
  ['shorter than the interval', 10_000],
])('[LIVE] a silent client is reported once, in time, with a timeout %s', (_, timeoutMs) => {
  const { clock, heartbeats } = start({ intervalMs: INTERVAL_MS, timeoutMs });
  const client = new Client();
  clock.advance(INTERVAL_MS / 3);
  heartbeats.add(client);
  clock.advance(10 * TIMEOUT_MS);
  expect(client.silences).toHaveLength(1);
  const silentFor = (client.silences[0] ?? 0) - INTERVAL_MS / 3;
  expect(silentFor).toBeGreaterThanOrEqual(timeoutMs);
  expect(silentFor).toBeLessThanOrEqual(timeoutMs + 2 * TURN_MS);
});

test('a client that is heard of in time stays, however late it answers', () => {
  const { clock, heartbeats } = start();
  const client = new Client();
  heartbeats.add(client);
  for (let round = 0; round < 10; round += 1) {
    clock.advance(TIMEOUT_MS - TURN_MS);
    heartbeats.heard(client);
  }
  expect(client.silences).toEqual([]);
  clock.advance(2 * TIMEOUT_MS);
  expect(client.silences).toHaveLength(1);
});

test('[LIVE] nothing happens to one that is removed, nor to any after the end', () => {
  const { clock, heartbeats } = start();
  const [removed, left] = [new Client(), new Client()];
  heartbeats.add(removed);
  heartbeats.add(left);
  heartbeats.remove(removed);
  clock.advance(INTERVAL_MS);
  expect([removed.beats.length, left.beats.length]).toEqual([0, 1]);
  heartbeats.close();
  clock.advance(2 * TIMEOUT_MS);
  expect([left.beats.length, left.silences.length, removed.silences.length]).toEqual([1, 0, 0]);
});
