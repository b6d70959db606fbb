import { expect, test } from 'vitest';
import { accepted, problems } from '../../test/support/parsed-event.ts';

const tick = { type: 'tick', data: {} };

test.each([
  [{ channel: 'project:P' }, { project_id: 'P' }],
  [{ channel: 'user:U' }, { user_id: 'U' }],
  [
    { channel: 'user:U', project_id: 'P' },
    { user_id: 'U', project_id: 'P' },
  ],
  [{ channel: 'all' }, {}],
])('[EV4.2] the id that the channel names is filled in: %j', (fields, ids) => {
  const {
    type,
    data,
    timestamp: _,
    message_id: __,
    ...sent
  } = accepted({ ...tick, ...fields }).sent;
  expect(sent).toEqual(ids);
});

test('[EV4.6] an id that the data of a known type requires is taken from the event', () => {
  const chat = { type: 'chat_message', data: { preview: 'Hi' } };
  const ids = { project_id: 'P', story_id: 'S' };
  expect(accepted({ ...chat, ...ids }).sent.data).toEqual({ preview: 'Hi', ...ids });
  const fromChannel = { ...chat, channel: 'project:P', story_id: 'S' };
  expect(accepted(fromChannel).sent.data).toEqual({ preview: 'Hi', ...ids });
  const own = { ...chat.data, project_id: 'P', story_id: 'T' };
  expect(accepted({ ...chat, data: own, ...ids }).sent.data).toEqual(own);
  expect(problems({ ...chat, project_id: 'P' })).toEqual(['data.story_id: is required']);
  expect(accepted({ ...tick, ...ids }).sent.data).toEqual({});
});

test.each([
  [{ type: 'tick', data: { story_id: 'S', project_id: 'P' } }],
  [{ type: 'tick', data: { story_id: 'S', project_id: 'P' }, story_id: null }],
])(
  '[EV4.3] [EV4.5] ids that only data has are repeated in the envelope and route nothing: %j',
  (event) => {
    const { channel, sent } = accepted(event);
    expect(sent).toMatchObject({ project_id: 'P', story_id: 'S', data: event.data });
    expect(channel).toBe('all');
  },
);

test('[EV4.3] an id in the event or in its channel counts more than the one in data', () => {
  const data = { project_id: 'P', story_id: 'S', user_id: 'U' };
  const { channel, sent } = accepted({ ...tick, data, story_id: 'T', user_id: 'V' });
  expect(channel).toBe('user:V');
  expect(sent).toMatchObject({ project_id: 'P', story_id: 'T', user_id: 'V', data });
  expect(accepted({ ...tick, data, channel: 'project:Q' }).sent).toMatchObject({
    project_id: 'Q',
    story_id: 'S',
    user_id: 'U',
    data,
  });
});

test.each([7.5, 2 ** 53, null, '', 'a\nb', 'x'.repeat(257), {}, ['S']])(
  '[EV4.4] %j in data is not an id: it stays in data alone, and the event is valid',
  (story_id) => {
    const { sent } = accepted({ ...tick, data: { story_id } });
    expect(sent).toEqual({ ...sent, data: { story_id } });
    expect(sent).not.toHaveProperty('story_id');
  },
);

test('[EV1.3] a field that is null counts as left out', () => {
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
