import { EventEmitter } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { FakeClock } from '@leque/testkit/fakes';
import { expect, test } from 'vitest';
import type { RedisConnection } from '../connection/redis-connection.ts';
import { Probe } from './probe.ts';
import { ProbeCounts } from './probe-counts.ts';
import type { RedisSubscriber } from './redis-subscriber.ts';

/** A probe between two connections whose messages the test passes on, or not. */
function startProbe() {
  const clock = new FakeClock();
  const [commands, subscribing] = [new EventEmitter(), new EventEmitter()];
  const published: Buffer[] = [];
  const rebuilt: string[] = [];
  let answers = true;
  let doubt = () => {};
  const probe = new Probe({
    redisChannel: () => 'probe',
    publish: async (_, payload) => {
      if (!answers) throw new Error('no answer');
      published.push(Buffer.from(payload));
    },
    commands: {
      redis: commands,
      onDoubt: (listener: () => void) => {
        doubt = listener;
      },
    } as unknown as RedisConnection,
    subscriber: { add() {}, remove() {}, problem: undefined } as unknown as RedisSubscriber,
    subscribing: {
      redis: subscribing,
      rebuild: (reason: string) => rebuilt.push(reason),
    } as unknown as RedisConnection,
    counts: new ProbeCounts(),
    clock,
  });
  probe.start();
  const second = async () => {
    clock.advance(1000);
    await setImmediate();
  };
  const deliver = () => {
    for (const payload of published.splice(0)) probe.message(payload);
  };
  const answer = (does: boolean) => {
    answers = does;
  };
  return {
    ...{ probe, commands, subscribing, published, rebuilt, second, deliver, answer },
    doubt: () => doubt(),
  };
}

async function startProven() {
  const all = startProbe();
  all.probe.subscribed();
  all.deliver();
  expect(all.probe.problem).toBeUndefined();
  return all;
}

const UNPROVEN = 'no published message has come through';

test('[HON] a probe has a problem until the first message has come through', () => {
  const { probe, deliver } = startProbe();
  expect(probe.problem).toContain(UNPROVEN);
  probe.subscribed();
  expect(probe.problem).toContain(UNPROVEN);
  deliver();
  expect(probe.problem).toBeUndefined();
});

test('[HON] a message published before Redis stopped to answer proves nothing after it', async () => {
  const all = await startProven();
  await all.second();
  all.doubt();
  all.deliver();
  expect(all.probe.problem).toContain(UNPROVEN);
  await all.second();
  all.deliver();
  expect(all.probe.problem).toBeUndefined();
});

test.each(['commands', 'subscribing'] as const)(
  '[HON] a message published before the %s connection was lost proves nothing after it',
  async (which) => {
    const all = await startProven();
    await all.second();
    all[which].emit('close');
    expect(all.probe.problem).toContain(UNPROVEN);
    all.deliver();
    expect(all.probe.problem).toContain(UNPROVEN);
    all.commands.emit('ready');
    all.deliver();
    expect(all.probe.problem).toBeUndefined();
  },
);

test('[HON] probes that Redis does not answer are a problem from the second one on', async () => {
  const { probe, second, answer, deliver } = await startProven();
  answer(false);
  await second();
  expect(probe.problem).toBeUndefined();
  await second();
  expect(probe.problem).toContain(UNPROVEN);
  answer(true);
  await second();
  expect(probe.problem).toContain(UNPROVEN);
  deliver();
  expect(probe.problem).toBeUndefined();
});

test('[HON] messages of another process with the same name prove nothing', () => {
  const { probe, published } = startProbe();
  const other = startProbe();
  other.probe.subscribed();
  for (const payload of other.published) probe.message(payload);
  probe.message(Buffer.from(''));
  expect(probe.problem).toContain(UNPROVEN);
  expect(published).toEqual([]);
});

test('[HON] the connection is rebuilt when two probes in a row have not come through', async () => {
  const { rebuilt, second, deliver } = await startProven();
  await second();
  deliver();
  await second();
  await second();
  expect(rebuilt).toEqual([]);
  await second();
  expect(rebuilt).toEqual(['published messages do not arrive']);
});
