import { expect, test } from 'vitest';
import { tryParseEvent } from '../events/event.ts';
import { encodeEnvelope, encodeReply } from './envelope.ts';

test('[NP2] channel and cursor are added to the event without parsing it', () => {
  const text = encodeEnvelope({
    channel: 'project:P',
    position: { epoch: 'e', offset: 7 },
    json: '{"type":"t","data":{"text":"}\\""}}',
  });
  expect(JSON.parse(text)).toEqual({
    type: 't',
    data: { text: '}"' },
    channel: 'project:P',
    cursor: 'e.7',
  });
});

test('[WS1.1] a live-only publication has no cursor', () => {
  const text = encodeEnvelope({ channel: 'logs', position: undefined, json: '{"type":"t"}' });
  expect(JSON.parse(text)).toEqual({ type: 't', channel: 'logs' });
});

test('[NP2] a foreign publisher cannot forge a channel or a cursor', () => {
  const json = '{"type":"t","channel":"user:bob","cursor":"x.1"}';
  const text = encodeEnvelope({ channel: 'all', position: { epoch: 'e', offset: 1 }, json });
  expect(JSON.parse(text)).toEqual({ type: 't', channel: 'all', cursor: 'e.1' });
});

test('[WS1] the envelope of an event has the fields of the seed', () => {
  const parsed = tryParseEvent(
    {
      type: 'story_created',
      data: { story_id: 'STR-0001', title: 'Implementar login', project_id: 'PROJ-001' },
      timestamp: '2025-01-15T10:30:00Z',
      message_id: 'abc123',
      project_id: 'PROJ-001',
      story_id: 'STR-0001',
    },
    { unaddressed: 'refuse', schemas: 'strict' },
  );
  if (!parsed.ok) throw new Error('refused');
  const { channel, json } = parsed.event;
  expect(JSON.parse(encodeEnvelope({ channel, json }))).toEqual({
    type: 'story_created',
    data: { story_id: 'STR-0001', title: 'Implementar login', project_id: 'PROJ-001' },
    timestamp: '2025-01-15T10:30:00Z',
    message_id: 'abc123',
    project_id: 'PROJ-001',
    story_id: 'STR-0001',
    channel: 'project:PROJ-001',
  });
});

test('[WS1] a message of the server has an id and a time of its own', () => {
  const first = JSON.parse(encodeReply('pong', { a: 1 }, { id: 7 }));
  const second = JSON.parse(encodeReply('pong', {}));
  expect(first).toEqual({
    type: 'pong',
    data: { a: 1 },
    timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    message_id: expect.any(String),
    id: 7,
  });
  expect(second.message_id).not.toBe(first.message_id);
});
