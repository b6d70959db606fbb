import { once } from 'node:events';
import type { Socket } from 'node:net';
import { answerHead } from '@leque/testkit';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { startGateway } from './support/gateway.ts';

const OPEN = { AUTH_MODE: 'open', WEBSOCKET_COMPRESSION: 'on' };
const TEXT = 'a story that says the same again and again. '.repeat(100);

/** A client that records the bytes on the network and the messages that it receives. */
async function connect(url: string, perMessageDeflate: boolean | object) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws/project/P`, { perMessageDeflate });
  const messages: { type: string; data: object }[] = [];
  socket.on('message', (data) => messages.push(JSON.parse(data.toString())));
  const [{ socket: tcp }] = (await once(socket, 'upgrade')) as [{ socket: Socket }]; // the client is open then too
  await expect.poll(() => messages.map(({ type }) => type)).toContain('connection');
  return {
    extensions: () => socket.extensions,
    stories: () => messages.filter(({ type }) => type === 'story').map(({ data }) => data),
    bytes: () => tcp.bytesRead,
    say: (command: object) => socket.send(JSON.stringify(command)),
    types: () => messages.map(({ type }) => type),
    [Symbol.dispose]: () => socket.terminate(),
  };
}

const story = (text: string) => ({ type: 'story', project_id: 'P', data: { text } });

test('a client that negotiates compression gets the same publications compressed that another gets plain', async () => {
  await using gateway = await startGateway(OPEN);
  using compressed = await connect(gateway.url, true);
  using plain = await connect(gateway.url, false);
  expect(compressed.extensions()).toMatch(/permessage-deflate/);
  expect(plain.extensions()).toBe('');
  const [before, plainBefore] = [compressed.bytes(), plain.bytes()];
  for (const text of [TEXT, 'short', TEXT]) await gateway.publish(story(text));
  for (const client of [compressed, plain]) {
    await expect.poll(client.stories).toEqual([{ text: TEXT }, { text: 'short' }, { text: TEXT }]);
  }
  expect(plain.bytes() - plainBefore).toBeGreaterThan(2 * TEXT.length);
  expect(compressed.bytes() - before).toBeLessThan(TEXT.length / 4);
});

test('compressed commands are understood, and answered in order with publications', async () => {
  await using gateway = await startGateway(OPEN);
  using client = await connect(gateway.url, { threshold: 0 });
  client.say({ action: 'ping', id: TEXT.slice(0, 60) });
  await expect.poll(client.types).toContain('pong');
  await gateway.publish(story(TEXT));
  await expect.poll(client.stories).toHaveLength(1);
});

test('[MEM] the size limit applies to a message after decompression', async () => {
  await using gateway = await startGateway({ ...OPEN, WEBSOCKET_MAX_MESSAGE_SIZE: '1000' });
  const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/ws/project/P`);
  await once(socket, 'open');
  const closed = once(socket, 'close');
  socket.send('x'.repeat(100_000));
  expect((await closed)[0]).toBe(1009);
});

test('a client that asks for a smaller window than the default is served without compression', async () => {
  await using gateway = await startGateway(OPEN);
  using client = await connect(gateway.url, { serverMaxWindowBits: 10 });
  expect(client.extensions()).toBe('');
  await gateway.publish(story(TEXT));
  await expect.poll(client.stories).toEqual([{ text: TEXT }]);
});

test.each(['10', '"10"', '"\\10"', '"1\\0"', '09', '0xa'])(
  'a window written as %s is recognised as smaller',
  async (bits) => {
    await using gateway = await startGateway(OPEN);
    const offer = `permessage-deflate; server_max_window_bits=${bits}; client_max_window_bits`;
    const headers = { 'sec-websocket-extensions': offer };
    const url = `${gateway.url.replace('http', 'ws')}/ws/project/P`;
    const socket = new WebSocket(url, { headers, perMessageDeflate: false });
    await once(socket, 'open');
    expect(socket.extensions).toBe('');
    socket.terminate();
  },
);

test('by default nothing is compressed', async () => {
  await using gateway = await startGateway({ AUTH_MODE: 'open' });
  using client = await connect(gateway.url, true);
  expect(client.extensions()).toBe('');
});

test.each([
  {
    offers: 'permessage-deflate; server_max_window_bits=10, permessage-deflate',
    answer: 'server_no_context_takeover',
  },
  {
    offers: 'permessage-deflate; unheard_of, permessage-deflate; client_max_window_bits',
    answer: 'server_no_context_takeover',
  },
  { offers: 'permessage-deflate; client_max_window_bits=16', answer: undefined },
  { offers: 'permessage-deflate; server_max_window_bits', answer: undefined },
  {
    offers: 'permessage-deflate; client_max_window_bits; client_max_window_bits',
    answer: undefined,
  },
  {
    offers: 'x-webkit-deflate-frame, permessage-deflate;client_no_context_takeover',
    answer: 'server_no_context_takeover; client_no_context_takeover',
  },
  { offers: ',;,', answer: undefined },
])(
  'the offers "$offers" are answered with $answer, as RFC 7692 says',
  async ({ offers, answer }) => {
    await using gateway = await startGateway(OPEN);
    const headers = { 'Sec-WebSocket-Extensions': offers };
    const response = await answerHead(gateway.url, { path: '/ws/project/P', headers });
    expect(response.status).toBe(101);
    const parameters = response.headers['sec-websocket-extensions']
      ?.split(';')
      .slice(1)
      .map((each) => each.trim());
    expect(new Set(parameters)).toEqual(new Set(answer?.split('; ')));
  },
);
