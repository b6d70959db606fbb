import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { startClustered, startEmbedded } from '@leque/lab';
import { freePorts } from '@leque/testkit';
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
