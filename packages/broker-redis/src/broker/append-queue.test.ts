import type { Published } from '@leque/core';
import type { Event } from '@leque/protocol';
import { expect, test } from 'vitest';
import { AppendQueue } from './append-queue.ts';
import type { ChannelLog } from './channel-log.ts';

function eventOf(channel: string, messageId: string, json = '{}'): Event {
  return { type: 'probe', channel, messageId, json };
}

function publishedOf({ messageId }: Event): Published {
  return { messageId, position: undefined, duplicate: false };
}

/** The arguments of one call of the log. */
type Call = [channel: string, ...messageIds: string[]];

type Append = ChannelLog['append'];

function recordingQueue(answer: Append = async (_, events) => events.map(publishedOf)) {
  const calls: Call[] = [];
  const append: Append = (channel, events) => {
    calls.push([channel, ...events.map(({ messageId }) => messageId)]);
    return answer(channel, events);
  };
  const queue = new AppendQueue({ append });
  return { queue, calls };
}

test('[ORD] the events of a channel in one turn of the event loop share a call, in their order', async () => {
  const { queue, calls } = recordingQueue();
  const turn = [eventOf('a', '1'), eventOf('b', '2'), eventOf('a', '3'), eventOf('b', '4')];
  const published = await Promise.all(turn.map((event) => queue.append(event)));
  expect(published.map(({ messageId }) => messageId)).toEqual(['1', '2', '3', '4']);
  await queue.append(eventOf('a', '5'));
  expect(calls).toEqual([
    ['a', '1', '3'],
    ['b', '2', '4'],
    ['a', '5'],
  ]);
});

test('[ORD] many events are sent in several calls that do not wait for one another', async () => {
  const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
  const { queue, calls } = recordingQueue(async (_, events) => {
    await answered;
    return events.map(publishedOf);
  });
  const ids = Array.from({ length: 250 }, (_, index) => String(index));
  const publishing = Promise.all(ids.map((id) => queue.append(eventOf('a', id))));
  await expect.poll(() => calls.length).toBe(3);
  answer();
  expect((await publishing).map(({ messageId }) => messageId)).toEqual(ids);
  expect(calls.map((call) => call.length - 1)).toEqual([100, 100, 50]);
  expect(calls.flatMap(([, ...sent]) => sent)).toEqual(ids);
});

test('long events share a call with few others, or with none', async () => {
  const { queue, calls } = recordingQueue();
  const sizes = [200_000, 50_000, 20_000, 300_000, 1, 1];
  await Promise.all(
    sizes.map((size, index) => queue.append(eventOf('a', String(index), 'x'.repeat(size)))),
  );
  expect(calls).toEqual([
    ['a', '0', '1'],
    ['a', '2'],
    ['a', '3'],
    ['a', '4', '5'],
  ]);
});

test('[ACK] an event that fails does not hide the outcome of the others', async () => {
  const refusal = Object.assign(new Error('WRONGTYPE'), { name: 'ReplyError' });
  const { queue } = recordingQueue(async (_, events) =>
    events.map((event) => (event.messageId === '2' ? refusal : publishedOf(event))),
  );
  const turn = ['1', '2', '3'].map((id) => queue.append(eventOf('a', id)));
  const outcomes = await Promise.allSettled(turn);
  expect(outcomes).toMatchObject([
    { value: { messageId: '1' } },
    { reason: { code: 'unavailable' } },
    { value: { messageId: '3' } },
  ]);
});

test('[ACK] a call without an answer leaves only the outcome of its own events unknown', async () => {
  const { queue } = recordingQueue(async (channel, events) => {
    if (channel === 'a') throw new Error('no answer');
    return events.map(publishedOf);
  });
  const turn = [eventOf('a', '1'), eventOf('a', '2'), eventOf('b', '3')];
  const outcomes = await Promise.allSettled(turn.map((event) => queue.append(event)));
  expect(outcomes).toMatchObject([
    { reason: { code: 'outcome_unknown' } },
    { reason: { code: 'outcome_unknown' } },
    { value: { messageId: '3' } },
  ]);
});
