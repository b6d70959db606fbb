import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Server, type Socket } from 'socket.io';
import { expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { TransportSocket } from './private-fields.ts';
import { SocketSlimmer } from './socket-slimmer.ts';

class SlimmableServer extends WebSocketServer {
  constructor(options: object) {
    super({ ...options, WebSocket: TransportSocket as never });
  }
}

const LARGE = 'x'.repeat(70_000);

/** A server with one client, which speaks the bytes of the protocol. */
async function connect(wsEngine: object = SlimmableServer) {
  const io = new Server(0, { wsEngine: wsEngine as never, pingInterval: 60_000 });
  const { port } = (
    io as unknown as { httpServer: { address(): AddressInfo } }
  ).httpServer.address();
  const joined = new Promise<Socket>((resolve) => io.on('connection', resolve));
  const client = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`);
  const packets: string[] = [];
  const log: unknown[] = [];
  client.on('message', (data) => packets.push(data.toString()));
  client.once('close', (code) => log.push(['closed', code]));
  await once(client, 'open');
  client.send('40');
  const socket = await joined;
  socket.onAny((...args: unknown[]) => log.push(args.filter((each) => typeof each !== 'function')));
  socket.on('disconnect', (reason) => log.push(['disconnect', reason]));
  socket.conn.on('heartbeat', () => log.push(['heartbeat']));
  return { io, socket, client, packets, log, [Symbol.asyncDispose]: () => io.close() };
}

type Scene = Awaited<ReturnType<typeof connect>>;

/** Goes through a conversation and its end, and returns what is seen from outside. */
async function observe({ socket, client, packets, log, io }: Scene, end: (scene: Scene) => void) {
  client.send('42["first",{"a":1}]');
  client.send(`42["large","${LARGE}"]`);
  client.send('3');
  await expect.poll(() => log).toHaveLength(3);
  socket.prependAny((name: string, ack: unknown) => name === 'asks' && (ack as () => void)());
  client.send('421["asks"]');
  await expect.poll(() => packets.filter((each) => each.startsWith('431'))).toEqual(['431[]']);
  socket.emit('plain', 1);
  io.emit('everybody', LARGE);
  const answered = socket.timeout(2000).emitWithAck('question');
  await expect.poll(() => packets.at(-1)).toMatch(/^42\d+\["question"\]$/);
  client.send(`43${/^42(\d+)/.exec(packets.at(-1) ?? '')?.[1]}["answer"]`);
  expect(await answered).toBe('answer');
  socket.emit('attached', Buffer.from('bytes'));
  await expect.poll(() => packets.at(-1)).toBe('bytes');
  end({ socket, client, packets, log, io } as Scene);
  await expect.poll(() => log.filter((each) => String(each).startsWith('closed'))).toHaveLength(1);
  await expect.poll(() => io.engine.clientsCount).toBe(0);
  expect(io.of('/').sockets.size).toBe(0);
  return { packets: packets.slice(2), log };
}

function slimmed({ socket }: Scene): unknown[] {
  const problems: unknown[] = [];
  new SocketSlimmer((problem) => problems.push(problem)).slim(socket);
  return problems;
}

test.each<[string, (scene: Scene) => void]>([
  ['the client closes', ({ client }) => client.close()],
  ['the client is cut', ({ client }) => client.terminate()],
  [
    'the client leaves the namespace and closes',
    ({ client }) => {
      client.send('41');
      client.close();
    },
  ],
  ['the client breaks the protocol', ({ client }) => client.send('4nonsense')],
  ['the client breaks the frames', ({ client }) => rawSocketOf(client).write('nonsense')],
  ['the server disconnects', ({ socket }) => socket.disconnect(true)],
  ['the server closes the transport', ({ socket }) => socket.conn.close()],
  ['the server discards the transport', ({ socket }) => socket.conn.close(true)],
])('a slimmed socket behaves like others when %s', async (_, end) => {
  await using plain = await connect();
  await using slim = await connect();
  expect(slimmed(slim)).toEqual([]);
  expect(slim.socket.conn.listenerCount('close')).toBe(1);
  expect(await observe(slim, end)).toEqual(await observe(plain, end));
});

test('[MEM] a binary packet does not reach the shared decoder', async () => {
  await using first = await connect();
  const slimmer = new SocketSlimmer(() => {});
  slimmer.slim(first.socket);
  first.client.send('451-["half",{"_placeholder":true,"num":0}]');
  first.client.send('42["whole"]');
  await expect.poll(() => first.log).toEqual([['whole']]);
});

test('two sockets that share a decoder get their own packets', async () => {
  await using first = await connect();
  await using second = await connect();
  const slimmer = new SocketSlimmer(() => {});
  for (const { socket } of [first, second]) slimmer.slim(socket);
  for (let n = 0; n < 100; n += 1) {
    first.client.send(`42["first",${n}]`);
    second.client.send(`42["second",${n}]`);
  }
  for (const [name, { log }] of Object.entries({ first, second })) {
    await expect.poll(() => log).toEqual(Array.from({ length: 100 }, (_, n) => [name, n]));
  }
});

test('sockets of other versions are left alone, and that is reported once', async () => {
  const problems: string[] = [];
  const slimmer = new SocketSlimmer((problem) => problems.push(problem));
  for (let n = 0; n < 2; n += 1) {
    await using scene = await connect(WebSocketServer);
    const listeners = scene.socket.conn.listenerCount('close');
    slimmer.slim(scene.socket);
    expect(scene.socket.conn.listenerCount('close')).toBe(listeners);
    scene.client.send('42["first",1]');
    await expect.poll(() => scene.log).toEqual([['first', 1]]);
  }
  expect(problems).toEqual(['the transport has no ws']);
});

function rawSocketOf(client: WebSocket): NodeJS.WritableStream {
  return (client as unknown as { _socket: NodeJS.WritableStream })._socket;
}
