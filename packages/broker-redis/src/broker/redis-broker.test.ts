import { setImmediate } from 'node:timers/promises';
import { FakeClock, RecordingSink, RecordingTelemetry } from '@leque/testkit/fakes';
import { expect, test } from 'vitest';
import type { RedisLink } from '../link/redis-link.ts';
import type { ChannelHandler } from '../link/redis-subscriber.ts';
import { ChannelLog } from './channel-log.ts';
import { RedisBroker } from './redis-broker.ts';

const HOUR_MS = 3600 * 1000;
const DAY_MS = 24 * HOUR_MS;
const P = 'project:P';

/** A link to a Redis in which nobody has published anything. */
function emptyRedis(clock: FakeClock) {
  const calls: string[] = [];
  const link: RedisLink = {
    subscriptions: {
      add: (_, handler: ChannelHandler) => handler.subscribed(),
      remove: () => {},
      catchUp: async () => {},
    },
    async call(name, _, [mode]) {
      calls.push(name === 'leque_history' ? `${mode}` : name);
      const epoch = `0123abcdn${Math.floor(clock.now() / DAY_MS).toString(36)}`;
      return name === 'leque_history' ? [epoch, 0, 1, []] : [epoch, 0];
    },
    run: () => Promise.reject(new Error('not in this test')),
    groupByServer: (items) => [items],
    signal: async () => undefined,
    connect: async () => {},
    receive: async () => {},
    problems: () => [],
    refusal: () => undefined,
    onConnected: () => () => {},
    close: () => {},
  };
  return { link, calls };
}

test('[GAP] the position of a channel without publications is renewed before it is too old', async () => {
  const clock = new FakeClock();
  const [sink, telemetry] = [new RecordingSink(), new RecordingTelemetry()];
  const { link, calls } = emptyRedis(clock);
  const log = new ChannelLog(link, 'leque:', telemetry);
  const broker = new RedisBroker({
    link,
    log,
    prefix: 'leque:',
    events: { maxBytes: 65_536, schemas: 'warn' },
    telemetry,
    clock,
  });
  await broker.start(sink);
  const start = await broker.subscribe(P);
  clock.advance(DAY_MS / 2);
  expect(calls).toEqual(['leque_position']);
  for (const end = clock.now() + 2 * DAY_MS; clock.now() < end; ) {
    clock.advance(HOUR_MS / 6);
    await setImmediate(); // lets the answers of Redis arrive
  }
  expect(sink.epochChanges(P)).toHaveLength(1);
  const [renewed] = sink.epochChanges(P);
  expect(renewed?.epoch).not.toBe(start?.epoch);
  expect(calls).toEqual(['leque_position', 'rest']);
  expect(await broker.subscribe(P)).toEqual(renewed);
  expect(sink.resyncs(P)).toEqual([]);
  await broker.close();
  expect(clock.pending).toBe(0);
});
