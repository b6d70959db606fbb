import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { freePorts, startRedis, type TestRedis } from '@leque/testkit';
import { Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { compileNative } from '../src/load/compile-native.ts';

const executable = await compileNative('floor');
const CHANNEL = 'the-channel';
/** More than the sockets and the floor together keep for a client. */
const FLOOD_MESSAGES = 400;
const FLOOD_BYTES = 100_000;
const BATCH = 50;

describe('the floor', () => {
  test('relays each message of the channel in one frame, in order, whatever its length', async () => {
    await using redis = await startRedis({ own: true });
    await using floor = await startFloor(redis);
    const clients = await Promise.all([connect(floor.url), connect(floor.url)]);
    const messages = [10, 125, 126, 65_535, 65_536, 200_000, 0, 3].map((length) =>
      'x'.repeat(length),
    );
    await floor.publish(messages);
    for (const { received } of clients) {
      await expect.poll(() => received.length).toBe(messages.length + 1);
      expect(received).toEqual(['{"type":"connection"}', ...messages]);
    }
  });

  test('serves the others when a client ends, and ends one that does not read', async () => {
    await using redis = await startRedis({ own: true });
    await using floor = await startFloor(redis);
    const [leaving, stalled, reading] = await Promise.all([
      connect(floor.url),
      connect(floor.url),
      connect(floor.url),
    ]);
    leaving.socket.terminate();
    stalled.socket.pause();
    const flood = Array.from({ length: FLOOD_MESSAGES }, (_, index) =>
      `${index} `.padEnd(FLOOD_BYTES, '.'),
    );
    for (let sent = 0; sent < flood.length; sent += BATCH) {
      await floor.publish(flood.slice(sent, sent + BATCH));
      // Else this process, which reads as well as publishes, would be one that does not read.
      await expect.poll(() => reading.received.length, { timeout: 5000 }).toBe(1 + sent + BATCH);
    }
    expect(reading.received.slice(1)).toEqual(flood);
    const closed = once(stalled.socket, 'close');
    stalled.socket.resume();
    await closed;
    expect(stalled.received.length).toBeLessThan(flood.length);
  });

  test('refuses what is no upgrade', async () => {
    await using redis = await startRedis({ own: true });
    await using floor = await startFloor(redis);
    await expect(fetch(floor.url.replace('ws:', 'http:'))).rejects.toThrow();
  });
});

async function startFloor(redis: TestRedis) {
  const port = await freePorts(1);
  const args = [String(port), '127.0.0.1', String(redis.port), CHANNEL];
  const child = spawn(executable, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(child.stdout, 'data');
  expect(String(line)).toBe('ready\n');
  const publisher = new Redis(redis.url);
  return {
    url: `ws://127.0.0.1:${port}`,
    publish: (messages: readonly string[]) =>
      Promise.all(messages.map((message) => publisher.publish(CHANNEL, message))),
    async [Symbol.asyncDispose]() {
      publisher.disconnect();
      const ended = once(child, 'exit');
      child.kill();
      await ended;
    },
  };
}

/** Resolves once the floor has said its first words. */
async function connect(url: string) {
  const received: string[] = [];
  const socket = new WebSocket(url);
  socket.on('error', () => {});
  socket.on('message', (data) => received.push(String(data)));
  await once(socket, 'message');
  return { socket, received };
}
