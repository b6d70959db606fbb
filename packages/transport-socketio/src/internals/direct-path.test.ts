import { expect, test } from 'vitest';
import { directSocket, queuedBytes } from './direct-path.ts';

type Conn = Parameters<typeof directSocket>[0];

const tcp = { writableLength: 7 };
const idle = () => ({
  upgrading: false,
  writeBuffer: [] as { data: string }[],
  transport: {
    name: 'websocket',
    writable: true,
    perMessageDeflate: null as unknown,
    socket: { _socket: tcp, _sender: { _state: 0 } } as object | undefined,
  },
});
const asConn = (conn: object) => conn as Conn;

test('frames may be written straight to an idle, uncompressed WebSocket', () => {
  expect(directSocket(asConn(idle()))).toBe(tcp);
});

test.each([
  ['an upgrade is under way', (conn: ReturnType<typeof idle>) => (conn.upgrading = true)],
  ['something is queued above', (conn) => conn.writeBuffer.push({ data: 'x' })],
  ['the transport is polling', (conn) => (conn.transport.name = 'polling')],
  ['Engine.IO is sending', (conn) => (conn.transport.writable = false)],
  ['messages are compressed', (conn) => (conn.transport.perMessageDeflate = {})],
  ['ws is busy', (conn) => (conn.transport.socket = { _socket: tcp, _sender: { _state: 1 } })],
  ['ws has no sender', (conn) => (conn.transport.socket = { _socket: tcp })],
] satisfies [string, (conn: ReturnType<typeof idle>) => unknown][])(
  '[ORD] no frame overtakes Engine.IO while %s',
  (_, change) => {
    const conn = idle();
    change(conn);
    expect(directSocket(asConn(conn))).toBeUndefined();
  },
);

test('[MEM] the bytes that Engine.IO and the socket hold are counted', () => {
  const conn = idle();
  conn.writeBuffer.push({ data: 'abc' });
  expect(queuedBytes(asConn(conn))).toBe(10);
  conn.transport.socket = undefined;
  expect(queuedBytes(asConn(conn))).toBeUndefined();
});
