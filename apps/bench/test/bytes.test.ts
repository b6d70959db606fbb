import { respCommand } from '@leque/lab';
import { expect, test } from 'vitest';
import {
  binaryFrame,
  pingFrame,
  textFrame,
  upgradeRequest,
} from '../src/targets/websocket-bytes.ts';
import { EVENT_BYTES, eventTemplate } from '../src/workloads/event.ts';

test('an event has the fixed size, and its fields in the order that the generator looks for', () => {
  for (const channel of [0, 12_345]) {
    const event = eventTemplate(channel).toString();
    expect(event).toHaveLength(EVENT_BYTES);
    expect(event).toMatch(/"t":"T{16}","c":"\d{5}","n":"N{10}"/);
    expect(JSON.parse(event)).toMatchObject({ type: 'bench' });
  }
});

test('a command is an array of strings with their lengths in bytes', () => {
  expect(respCommand('PUBLISH', 'é', Buffer.from('x')).toString()).toBe(
    '*3\r\n$7\r\nPUBLISH\r\n$2\r\né\r\n$1\r\nx\r\n',
  );
});

test('client frames are masked, with a length of one or two bytes', () => {
  expect(textFrame('hi')).toEqual(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]));
  expect(pingFrame('')).toEqual(Buffer.from([0x89, 0x80, 0, 0, 0, 0]));
  const long = binaryFrame(Buffer.alloc(300));
  expect(long.subarray(0, 4)).toEqual(Buffer.from([0x82, 0xfe, 1, 44]));
  expect(long).toHaveLength(308);
});

test('an upgrade request has the given headers and ends with an empty line', () => {
  const request = upgradeRequest('127.0.0.1:1', '/a', { Authorization: 'Bearer x' }).toString();
  expect(request).toMatch(/^GET \/a HTTP\/1\.1\r\nHost: 127\.0\.0\.1:1\r\n/);
  expect(request).toMatch(/\r\nAuthorization: Bearer x\r\n\r\n$/);
});
