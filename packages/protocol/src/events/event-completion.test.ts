import { expect, test } from 'vitest';
import { tryParseEvent } from './event.ts';

const tick = { type: 'tick', data: {} };

function accepted(input: unknown) {
  const parsed = tryParseEvent(input);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return { ...parsed.event, sent: JSON.parse(parsed.event.json) };
}

function problems(input: unknown): string[] {
  const parsed = tryParseEvent(input);
  if (parsed.ok) throw new Error('not refused');
  return parsed.problems.map(({ field, message }) => `${field}: ${message}`);
}

test.each([
  [{ channel: 'project:P' }, { project_id: 'P' }],
  [{ channel: 'user:U' }, { user_id: 'U' }],
  [
    { channel: 'user:U', project_id: 'P' },
    { user_id: 'U', project_id: 'P' },
  ],
  [{ channel: 'project:P', project_id: 'Q' }, { project_id: 'Q' }],
  [{ channel: 'all' }, {}],
])('[EV4] the id that the channel names is filled in: %j', (fields, ids) => {
  const {
    type,
    data,
    timestamp: _,
    message_id: __,
    ...sent
  } = accepted({ ...tick, ...fields }).sent;
  expect(sent).toEqual(ids);
});

test('[EV4] an id that the data of a known type needs is taken from the event', () => {
  const chat = { type: 'chat_message', data: { preview: 'Hi' } };
  const ids = { project_id: 'P', story_id: 'S' };
  expect(accepted({ ...chat, ...ids }).sent.data).toEqual({ preview: 'Hi', ...ids });
  const fromChannel = { ...chat, channel: 'project:P', story_id: 'S' };
  expect(accepted(fromChannel).sent.data).toEqual({ preview: 'Hi', ...ids });
  const own = { ...chat.data, project_id: 'Q', story_id: 'T' };
  expect(accepted({ ...chat, data: own, ...ids }).sent.data).toEqual(own);
  expect(problems({ ...chat, project_id: 'P' })).toEqual(['data.story_id: is required']);
  expect(accepted({ ...tick, ...ids }).sent.data).toEqual({});
});

test('[EV1] a field that is null is as one that is left out', () => {
  const optional = ['event_type', 'project_id', 'user_id', 'story_id', 'channel', 'message_id'];
  const nulls = Object.fromEntries(
    [...optional, 'timestamp', 'idempotency_key'].map((name) => [name, null]),
  );
  const { channel, sent, messageId } = accepted({ ...tick, ...nulls });
  expect(channel).toBe('all');
  expect(sent).toEqual({ ...tick, timestamp: expect.any(String), message_id: messageId });
  expect(problems({ ...tick, projct_id: null })).toEqual(['projct_id: is not a known field']);
  expect(problems({ type: 'tick', data: null })).toEqual(['data: must be object']);
});
