import { expect, test } from 'vitest';
import { tryDecodePayload } from './payload.ts';

test('[NP1] a stored publication is decoded, with a line break in its JSON too', () => {
  expect(decode('1 e1 42 task.created user:alice\n{"a":"\\n"}')).toEqual({
    type: 'task.created',
    channel: 'user:alice',
    position: { epoch: 'e1', offset: 42 },
    after: undefined,
    body: Buffer.from('{"a":"\\n"}'),
  });
});

test('[NP1.1] a publication of a channel without history has no position', () => {
  const payload = decode('1 - 0 log_message logs\n{"a":1}');
  expect(payload).toMatchObject({ channel: 'logs', position: undefined });
});

test('[NP1.4] a live-only event has the cursor after which it comes behind its channel', () => {
  expect(decode('1 - 0 typing project:P e1.41\n{"a":1}')).toMatchObject({
    channel: 'project:P',
    position: undefined,
    after: { epoch: 'e1', offset: 41 },
  });
  expect(decode('1 - 0 typing project:P nonsense\n{"a":1}')?.after).toBeUndefined();
});

test.each([
  ['', 'nothing'],
  ['{"type":"a","data":{}}', 'an event'],
  ['1 e 1 t c', 'no JSON'],
  ['2 e 1 t c\n{}', 'another version'],
  ['1 e 1 t\n{}', 'no channel'],
  ['1  1 t c\n{}', 'no epoch'],
  ['\n{}', 'no header'],
])('[NP1] %j is not a payload (%s)', (text) => {
  expect(decode(text)).toBeUndefined();
});

test.each(['null', '{}', '[]', '5', '', '{"cut":', '{broken}'])(
  '[NP2] a body that is no object with a member is no payload: %s',
  (body) => {
    expect(decode(`1 e 3 x all\n${body}`)).toBeUndefined();
  },
);

test('[NP1] an offset is a whole number', () => {
  expect(decode('1 e 1.5 x all\n{"a":1}')).toBeUndefined();
  expect(decode('1 e NaN x all\n{"a":1}')).toBeUndefined();
});

function decode(payload: string) {
  return tryDecodePayload(Buffer.from(payload));
}
