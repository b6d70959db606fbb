import { encodeTextFrame, type Frame, Publication } from '@leque/core';
import { STORED_FIELDS } from '@leque/protocol';
import { expect, test } from 'vitest';
import { offsetFormat, plainFormat } from './socketio-format.ts';
import type { SocketIoFrame } from './socketio-frame.ts';

const event = {
  type: 'task.created',
  data: { taskId: 't' },
  timestamp: '2026-01-01T00:00:00.000Z',
  message_id: 'm',
};

test('[IO3] a task event goes out under its own name and as task.event', () => {
  const { packets } = encode('task.created');
  expect(packets.map((packet) => packet.slice(0, packet.indexOf('{')))).toEqual([
    '2/events,["task.created",',
    '2/events,["task.event",',
  ]);
  expect(JSON.parse((packets[0] ?? '').slice('2/events,'.length))[1]).toEqual({
    event: 'task.created',
    data: { taskId: 't' },
    timestamp: event.timestamp,
    message_id: 'm',
    channel: 'user:u',
    cursor: 'e.3',
  });
});

test('[IO3.1] the payload has every field of the event that clients get', () => {
  const fields = Object.fromEntries(STORED_FIELDS.map((name) => [name, `the ${name}`]));
  const json = JSON.stringify({ ...fields, type: 'x', channel: 'forged', unknown: 1 });
  const publication = new Publication({ channel: 'all', type: 'x', position: undefined, json });
  const [packet = ''] = (plainFormat.encodePublication(publication) as SocketIoFrame).packets;
  const { type: _, ...others } = fields;
  const [, payload] = JSON.parse(packet.slice('2/events,'.length));
  expect(payload).toEqual({ event: 'x', ...others, channel: 'all' });
});

test.each([
  '{"big":12345678901234567890,"one":1.0,"zero":-0,"tiny":5e-324,"e":1E+05}',
  '{ "text" : "\\u00e9 } \\" {[ \u2028 🎈" ,\n"list":[ ],"none":{ } }',
  '{}',
])('[EV4.7] data keeps the text in which it was sent: %s', (data) => {
  const json = `{"type":"x","data":${data},"timestamp":"t","message_id":"m"}`;
  const publication = new Publication({ channel: 'all', type: 'x', position: undefined, json });
  const [packet = ''] = (plainFormat.encodePublication(publication) as SocketIoFrame).packets;
  const rest = `"timestamp":"t","message_id":"m","channel":"all"`;
  expect(packet).toBe(`2/events,["x",{"event":"x","data":${data},${rest}}]`);
});

test('[IO3] other types go out once', () => {
  expect(encode('notification').packets).toHaveLength(1);
});

test('[IO8] each event brings its offset, of which the first of two is one half', () => {
  expect(endsOf(encode('task.created'))).toEqual(['user:u=e.3~', 'user:u=e.3']);
  expect(endsOf(encode('notification'))).toEqual(['user:u=e.3']);
  expect(endsOf(offsetFormat.encodeResync('user:u', { epoch: 'e', offset: 7 }))).toEqual([
    'user:u=e.7',
  ]);
});

test('[IO8] where no state is recovered there are no offsets', () => {
  expect(endsOf(encode('task.created', plainFormat))).toEqual([undefined, undefined]);
});

test('the finished WebSocket frames say the same as the packets, and their bytes count [MEM]', () => {
  const { packets, wire, byteLength } = encode('task.created');
  const messages = packets.map((packet) => encodeTextFrame(`4${packet}`));
  expect(wire).toEqual(Buffer.concat(messages));
  expect(byteLength).toBe(wire.length);
});

test('several frames become one, in order', () => {
  const frames = [encode('task.created'), encode('notification')];
  const joined = offsetFormat.join(frames, Buffer.alloc(10_000)) as SocketIoFrame;
  expect(joined.packets).toEqual(frames.flatMap(({ packets }) => packets));
  expect(joined.wire).toEqual(Buffer.concat(frames.map(({ wire }) => wire)));
});

test('[EV7.4] [EV7.6] live-only events, and the number of those that were dropped, move no offset', () => {
  const json = JSON.stringify({ ...event, live: true });
  const init = { channel: 'user:u', type: 'task.created', json, position: undefined };
  const live = offsetFormat.encodePublication(new Publication(init)) as SocketIoFrame;
  const dropped = offsetFormat.encodeDropped('user:u', 3) as SocketIoFrame;
  expect([...endsOf(live), ...endsOf(dropped)]).toEqual([undefined, undefined, undefined]);
  expect([live.mark, dropped.mark]).toEqual([undefined, undefined]);
  expect(live.packets[0]).toContain('"live":true');
  expect(JSON.parse((dropped.packets[0] ?? '').slice('2/events,'.length))).toEqual([
    'live.dropped',
    { channel: 'user:u', dropped: 3, timestamp: expect.any(String) },
  ]);
  const joined = offsetFormat.join([encode('x'), live], Buffer.alloc(10_000)) as SocketIoFrame;
  expect(joined.mark).toEqual({ channel: 'user:u', cursor: 'e.3' });
});

function encode(type: string, format = offsetFormat): SocketIoFrame {
  const publication = new Publication({
    channel: 'user:u',
    type,
    position: { epoch: 'e', offset: 3 },
    json: JSON.stringify({ ...event, type }),
  });
  return format.encodePublication(publication) as SocketIoFrame;
}

/** The third element of each packet: the argument after the payload. */
function endsOf(frame: Frame): unknown[] {
  const { packets } = frame as SocketIoFrame;
  return packets.map((packet) => JSON.parse(packet.slice('2/events,'.length))[2]);
}
