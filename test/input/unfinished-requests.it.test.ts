import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { startClustered, startEmbedded } from '@leque/lab';
import { freePorts, startCluster, TEST_API_KEY } from '@leque/testkit';
import { expect, test } from 'vitest';

const UNFINISHED = [
  '',
  'GET /ws/notifications HTTP/1.1\r\nHost: localhost\r\n',
  'POST /nope HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{',
  'POST /api/publish HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{',
];

/** Everything that the server sends until it closes the connection. */
async function answerTo(port: string | number, request: string): Promise<string> {
  const socket = connect(Number(port), '127.0.0.1');
  socket.write(request);
  return text(socket);
}

test('[LIVE] every server answers 408 to a request that is incomplete after 10 s', async () => {
  const secondPort = await freePorts(1);
  await using dev = await startEmbedded({ SOCKETIO_PORT: String(secondPort) });
  await using cluster = await startClustered();
  const urls = [dev.node.url, cluster.node.url, cluster.publisher.url];
  const ports = [secondPort, ...urls.map((url) => new URL(url).port)];
  const startedAt = performance.now();
  const answers = await Promise.all(
    ports.flatMap((port) => UNFINISHED.map((request) => answerTo(port, request))),
  );
  expect(performance.now() - startedAt).toBeLessThan(13_000);
  for (const answer of answers) expect(answer).toContain('HTTP/1.1 408 ');
}, 30_000);

const EVENT = JSON.stringify({ type: 'x', data: {}, channel: 'all' });
const KEY = `Authorization: Bearer ${TEST_API_KEY}`;

/** The head of a request that waits for `100 Continue` before it sends its body. */
function expecting(path: string, ...headers: string[]): string {
  const lines = [`POST ${path} HTTP/1.1`, 'Host: localhost', 'Content-Type: application/json'];
  return `${[...lines, ...headers, 'Expect: 100-continue'].join('\r\n')}\r\n\r\n`;
}

test.for<[app: 'publisher' | 'gateway', what: string, head: string, status: number]>([
  ['publisher', 'without a key', expecting('/api/publish', 'Content-Length: 50'), 401],
  [
    'publisher',
    'with a body that is too large',
    expecting('/api/publish', KEY, 'Content-Length: 99999999'),
    413,
  ],
  [
    'gateway',
    'of an unknown session',
    expecting('/socket.io/?EIO=4&transport=polling&sid=x', 'Content-Length: 50'),
    400,
  ],
])('a %s sends no 100 Continue for a request %s', async ([app, , head, status]) => {
  await using cluster = await startCluster({ gateways: 1 });
  const url = app === 'publisher' ? cluster.publisher.url : cluster.url(0);
  const answer = await answerTo(new URL(url).port, head);
  expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
});

test('an accepted request gets 100 Continue, and its body is read', async () => {
  await using cluster = await startCluster({ gateways: 1 });
  const socket = connect(Number(new URL(cluster.publisher.url).port), '127.0.0.1');
  const length = `Content-Length: ${EVENT.length}`;
  socket.write(expecting('/api/publish', KEY, length, 'Connection: close'));
  socket.once('data', () => socket.write(EVENT));
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  const answer = Buffer.concat(chunks).toString();
  expect(answer).toMatch(/^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 /);
});

test.for(['publisher', 'gateway'] as const)(
  '[LIVE] a %s does not read the rest of a body that it has refused',
  async (app) => {
    await using cluster = await startCluster({ gateways: 1 });
    const url = app === 'publisher' ? cluster.publisher.url : cluster.url(0);
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.on('error', () => {}).resume(); // the connection ends while this side sends
    socket.write('POST /nope HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10000000000\r\n\r\n');
    const pour = () => {
      if (!socket.destroyed && socket.write(Buffer.alloc(65_536))) setImmediate(pour);
    };
    socket.on('drain', pour);
    pour();
    await expect.poll(() => socket.destroyed, { timeout: 5000 }).toBe(true);
  },
);
