import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { breakOff } from '../src/proxy/break-off.ts';

/** Both ends of a TCP connection. */
async function connection() {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const [socket] = (await once(server, 'connection')) as [Socket];
  return {
    client,
    socket,
    async [Symbol.asyncDispose]() {
      for (const end of [client, socket]) end.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function openSockets(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
}

test('the peer of a connection that is broken off sees a reset', async () => {
  await using pair = await connection();
  const failed = once(pair.client, 'error');
  pair.client.resume();
  breakOff(pair.socket);
  expect(await failed).toMatchObject([{ code: 'ECONNRESET' }]);
});

test('[LIVE] a connection that is ending is broken off without leaving a handle', async () => {
  const before = openSockets();
  await using pair = await connection();
  pair.client.on('error', () => {});
  pair.socket.end();
  breakOff(pair.socket);
  pair.client.destroy();
  await expect.poll(openSockets).toBe(before);
});
