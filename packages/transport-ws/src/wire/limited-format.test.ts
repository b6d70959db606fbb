import { Publication, textPayload } from '@leque/core';
import { expect, test } from 'vitest';
import { limitedFormat, parseMessageLimit } from './limited-format.ts';
import { wsFormat } from './ws-format.ts';

function publicationOf(bytes: number): Publication {
  const event = { type: 'x', data: { text: '' }, message_id: 'M' };
  const text = 'x'.repeat(bytes - JSON.stringify(event).length);
  return new Publication({
    channel: 'project:P',
    type: 'x',
    position: { epoch: 'e', offset: 7 },
    json: JSON.stringify({ ...event, data: { text } }),
  });
}

const messageOf = (frame: unknown) => JSON.parse(textPayload(frame as Buffer).toString());

test('[GAP] [RE2.3] an event that a client cannot take is a resync with its position', () => {
  const frame = publicationOf(9000).frameIn(limitedFormat(wsFormat, 8192));
  expect(messageOf(frame)).toMatchObject({
    type: 'resync',
    channel: 'project:P',
    cursor: 'e.7',
    data: {
      channel: 'project:P',
      cursor: 'e.7',
      reason: 'too_large_for_client',
      message_id: 'M',
    },
  });
});

test('[EV7.10] a live-only event that a client cannot take is no gap', () => {
  const { channel, type, json } = publicationOf(9000);
  const live = new Publication({ channel, type, json, position: undefined });
  const message = messageOf(live.frameIn(limitedFormat(wsFormat, 8192)));
  expect(message).toMatchObject({
    type: 'live.dropped',
    channel,
    data: { channel, dropped: 1, reason: 'too_large_for_client', message_id: 'M' },
  });
  expect(message).not.toHaveProperty('cursor');
});

test('an event that fits is the frame that all clients share', () => {
  const publication = publicationOf(8000);
  expect(publication.frameIn(limitedFormat(wsFormat, 8192))).toBe(publication.frameIn(wsFormat));
});

test('[MEM] limits share few formats', () => {
  expect(limitedFormat(wsFormat, 10_000)).toBe(limitedFormat(wsFormat, 8192));
});

test.each([
  [undefined, undefined],
  ['8192', 8192],
  ['1024', 1024],
  ['99999999', undefined],
])('max_message=%s is a limit of %s', (text, limit) => {
  expect(parseMessageLimit(text)).toBe(limit);
});

test.each(['', '0', '1023', '-1', '8k', '1e9', 'NaN'])(
  'max_message=%s is refused by name',
  (text) => {
    expect(() => parseMessageLimit(text)).toThrow('max_message must be a number of at least 1024');
  },
);
