import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { startFaultProxy } from '../src/index.ts';

const MS = 100;

/** Starts a server that echoes everything, and a proxy before it. */
async function startEcho() {
  const stack = new AsyncDisposableStack();
  const served: Socket[] = [];
  const heard: string[] = [];
  const server = createServer((socket) => {
    served.push(socket);
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      heard.push(String(chunk));
      socket.write(chunk);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  stack.defer(() => {
    server.close();
    for (const socket of served) socket.destroy();
  });
  const { port } = server.address() as AddressInfo;
  const proxy = stack.use(await startFaultProxy({ target: `tcp://127.0.0.1:${port}` }));
  const client = () => {
    const socket = connect(proxy.port, '127.0.0.1').on('error', () => {});
    stack.defer(() => void socket.destroy());
    let answers = '';
    socket.on('data', (chunk) => {
      answers += String(chunk);
    });
    return { socket, say: (text: string) => socket.write(text), answers: () => answers };
  };
  return {
    proxy,
    served,
    client,
    heard: () => heard.join(''),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

test('a proxy passes bytes in order, and the end of one side ends the other', async () => {
  await using echo = await startEcho();
  const { proxy, served, client } = echo;
  const { socket, say, answers } = client();
  const text = Array.from({ length: 20_000 }, (_, index) => `${index},`).join('');
  say(text);
  await expect.poll(answers).toBe(text);
  expect(proxy.connections).toBe(1);
  socket.end();
  await expect.poll(() => served[0]?.closed).toBe(true);
  await expect.poll(() => proxy.connections).toBe(0);
});

test('cut breaks open connections, and refuse breaks new ones until restore', async () => {
  await using echo = await startEcho();
  const { proxy, served, client } = echo;
  const first = client();
  first.say('a');
  await expect.poll(first.answers).toBe('a');
  proxy.cut();
  await expect.poll(() => first.socket.closed).toBe(true);
  await expect.poll(() => served[0]?.closed).toBe(true);
  const second = client();
  second.say('b');
  await expect.poll(second.answers).toBe('b');
  proxy.refuse();
  await expect.poll(() => second.socket.closed).toBe(true);
  const third = client();
  await expect.poll(() => third.socket.closed).toBe(true);
  proxy.restore();
  const fourth = client();
  fourth.say('d');
  await expect.poll(fourth.answers).toBe('d');
});

test('a stalled connection gets all bytes when it is resumed', async () => {
  await using echo = await startEcho();
  const { proxy, client, heard } = echo;
  const { say, answers } = client();
  proxy.stall();
  say('a');
  const other = client();
  other.say('b');
  proxy.resume();
  await expect.poll(answers).toBe('a');
  await expect.poll(other.answers).toBe('b');
  proxy.stall();
  say('1');
  say('2');
  proxy.restore();
  await expect.poll(answers).toBe('a12');
  expect(heard()).toContain('12');
});

test('stall can affect one direction only, and only clients that have sent a text', async () => {
  await using echo = await startEcho();
  const { proxy, client, heard } = echo;
  const [deaf, well] = [client(), client()];
  proxy.stall('SUBSCRIBE', 'toClient');
  deaf.say('SUBSCRIBE x');
  await expect.poll(heard).toBe('SUBSCRIBE x');
  well.say('PING');
  await expect.poll(well.answers).toBe('PING');
  expect(deaf.answers()).toBe('');
  proxy.stall('', 'toServer');
  well.say('nobody hears this');
  proxy.resume();
  await expect.poll(deaf.answers).toBe('SUBSCRIBE x');
  await expect.poll(well.answers).toBe('PINGnobody hears this');
});

test('a half-open connection is closed for the server only, and never answered again', async () => {
  await using echo = await startEcho();
  const { proxy, served, client, heard } = echo;
  const old = client();
  old.say('a');
  await expect.poll(old.answers).toBe('a');
  proxy.halfOpen();
  await expect.poll(() => served[0]?.closed).toBe(true);
  const unanswered = client();
  await once(unanswered.socket, 'connect');
  for (const { say } of [old, unanswered]) say('b');
  proxy.restore();
  const fresh = client();
  fresh.say('c');
  await expect.poll(fresh.answers).toBe('c');
  for (const { socket } of [old, unanswered]) expect(socket.closed).toBe(false);
  expect([old.answers(), unanswered.answers(), heard()]).toEqual(['a', '', 'ac']);
  for (const { socket } of [old, unanswered, fresh]) socket.end();
  await expect.poll(() => proxy.connections).toBe(0);
});

test('delay keeps the order, and loses no bytes at the end', async () => {
  await using echo = await startEcho();
  const { proxy, client } = echo;
  const { socket, say, answers } = client();
  say('0');
  await expect.poll(answers).toBe('0');
  proxy.delay(MS);
  const start = performance.now();
  for (const text of ['1', '2', '3']) say(text);
  await expect.poll(answers).toBe('0123');
  expect(performance.now() - start).toBeGreaterThanOrEqual(2 * MS);
  say('4');
  socket.end();
  await expect.poll(answers).toBe('01234');
  proxy.restore();
});

test('throttle limits the bytes per second', async () => {
  await using echo = await startEcho();
  const { proxy, client } = echo;
  const { say, answers } = client();
  proxy.throttle(100_000);
  const start = performance.now();
  say('x'.repeat(30_000));
  await expect.poll(() => answers().length, { timeout: 5000 }).toBe(30_000);
  expect(performance.now() - start).toBeGreaterThanOrEqual(250);
});

test('[MEM] a proxy stops reading when the receiver does not read', async () => {
  await using echo = await startEcho();
  const { proxy, served, client } = echo;
  const { say, answers } = client();
  say('a');
  await expect.poll(answers).toBe('a');
  proxy.stall('', 'toClient');
  const [server] = served as [Socket];
  proxy.delay(60_000);
  proxy.resume();
  let megabytes = 0;
  const write = () =>
    server.write(Buffer.alloc(1024 * 1024), () => {
      megabytes += 1;
      if (megabytes < 64) write();
    });
  write();
  const seen: number[] = [];
  const stands = () => seen.push(megabytes) > 6 && seen.at(-6) === megabytes;
  await expect.poll(stands, { interval: 200, timeout: 15_000 }).toBe(true);
  // The sockets and the proxy buffer some; the rest stays with the sender.
  expect(megabytes).toBeLessThan(32);
});
