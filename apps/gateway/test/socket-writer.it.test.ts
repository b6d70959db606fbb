import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import * as tls from 'node:tls';
import { expect, test } from 'vitest';
import { kernelWriter } from '../src/socket-writer.ts';

/** Both ends of a TCP connection. */
async function connection() {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [socket] = (await once(server, 'connection')) as [Socket];
  socket.on('error', () => {}); // some tests close the client
  return {
    socket,
    client,
    async [Symbol.asyncDispose]() {
      client.destroy();
      socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Reads the given number of bytes. */
function reading(client: Socket) {
  const chunks: Buffer[] = [];
  client.on('data', (chunk) => chunks.push(chunk));
  return {
    text: () => Buffer.concat(chunks).toString('latin1'),
    length: () => chunks.reduce((sum, { length }) => sum + length, 0),
  };
}

test('the kernel has the bytes when the call returns', async () => {
  await using pair = await connection();
  const { text } = reading(pair.client);
  kernelWriter.write(pair.socket, Buffer.from('at once'));
  expect(pair.socket.writableLength).toBe(0);
  await expect.poll(text).toBe('at once');
});

test('[ORD] nothing is lost or overtaken when the client does not read for a while', async () => {
  await using pair = await connection();
  pair.client.pause();
  const piece = (index: number) => `${String(index).padStart(7, '0')}${'x'.repeat(50_000)}`;
  const pieces = Array.from({ length: 400 }, (_, index) => piece(index));
  for (const [index, text] of pieces.entries()) {
    if (index % 10 === 9)
      pair.socket.write(text); // other writers use the same socket
    else kernelWriter.write(pair.socket, Buffer.from(text));
  }
  expect(pair.socket.writableLength).toBeGreaterThan(0);
  const { text, length } = reading(pair.client);
  pair.client.resume();
  const expected = pieces.join('');
  await expect.poll(length, { timeout: 10_000 }).toBe(expected.length);
  expect(text() === expected).toBe(true);
  await expect.poll(() => pair.socket.writableLength).toBe(0);
  kernelWriter.write(pair.socket, Buffer.from('the end'));
  await expect.poll(text).toMatch(/the end$/);
});

test('a write to a client that has disconnected causes no error', async () => {
  await using pair = await connection();
  const closed = new Promise((resolve) => pair.socket.once('close', resolve));
  pair.client.resetAndDestroy();
  pair.socket.resume();
  for (let count = 0; count < 100; count += 1) kernelWriter.write(pair.socket, Buffer.from('x'));
  await closed;
  kernelWriter.write(pair.socket, Buffer.from('x'));
});

test('bytes that the kernel does not take, for another reason than a disconnected client, are not lost', () => {
  const fd = openSync(import.meta.filename, 'r'); // nobody can write to it
  const written: Buffer[] = [];
  const write = (bytes: Buffer) => written.push(bytes);
  const socket = { _handle: { fd }, writableLength: 0, write };
  kernelWriter.write(socket, Buffer.from('x'));
  closeSync(fd);
  expect(written).toEqual([Buffer.from('x')]);
});

test('bytes that are written to a TLS socket are encrypted', async () => {
  const key = Buffer.from('a key that both of them have');
  const common = { ciphers: 'PSK', maxVersion: 'TLSv1.2' } as const; // without a certificate
  const server = tls.createServer({ ...common, pskCallback: () => key });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = tls.connect({
    ...common,
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    pskCallback: () => ({ psk: key, identity: 'client' }),
    checkServerIdentity: () => undefined,
  });
  client.on('error', () => {}); // the missing bytes fail the test
  const [socket] = (await once(server, 'secureConnection')) as [tls.TLSSocket];
  const { text } = reading(client);
  kernelWriter.write(socket, Buffer.from('nobody reads this on the way'));
  await expect.poll(text).toBe('nobody reads this on the way');
  client.destroy();
  await new Promise((resolve) => server.close(resolve));
});
