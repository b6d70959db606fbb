import { Server } from 'socket.io';
import { expect, test } from 'vitest';
import { directSocket, findDirectPathProblem, queuedBytes } from './direct-path.ts';

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

test('the installed versions of socket.io and ws are as the direct path needs them', async () => {
  const io = new Server(0);
  expect(findDirectPathProblem(io.engine)).toBeUndefined();
  await io.close();
});

test('a version that differs is found out, and says how', () => {
  const engine = { createTransport: () => ({ on: () => {}, socket: undefined }) };
  expect(findDirectPathProblem(engine as never)).toMatch(/does not keep its ws/);
  expect(findDirectPathProblem({} as never)).toMatch(/the trial failed/);
});

test('an idle, uncompressed WebSocket may be written to', () => {
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
  '[ORD] no frame goes past Engine.IO while %s',
  (_, change) => {
    const conn = idle();
    change(conn);
    expect(directSocket(asConn(conn))).toBeUndefined();
  },
);

test('[MEM] what Engine.IO and the socket hold counts', () => {
  const conn = idle();
  conn.writeBuffer.push({ data: 'abc' });
  expect(queuedBytes(asConn(conn))).toBe(10);
  conn.transport.socket = undefined;
  expect(queuedBytes(asConn(conn))).toBeUndefined();
});
