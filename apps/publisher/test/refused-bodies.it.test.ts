import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { bearer, openPolicy, PublisherUnderTest, strictPolicy } from './publisher-under-test.ts';

const JSON_TYPE = 'content-type: application/json';
const withoutScope = `authorization: ${(await bearer([])).authorization}`;
const publisherKey = 'x-api-key: a-key';

/** Sends only the head of a request, and the beginning of a body that never ends. */
async function refusalOf(policy: typeof openPolicy, head: string[]): Promise<string> {
  await using publisher = new PublisherUnderTest(policy);
  await publisher.app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = publisher.app.server.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(['POST /api/publish HTTP/1.1', 'host: leque.test', ...head, '', ''].join('\r\n'));
  // The answer is complete when the server has closed the connection.
  const answer = await text(socket);
  socket.destroy();
  return answer;
}

const lengths = [
  ['a gigabyte', 'content-length: 1000000000'],
  ['a body without end', 'transfer-encoding: chunked'],
] as const;

const refusals = [
  ['401', 'without credentials', [JSON_TYPE]],
  ['401', 'with an unknown key', [JSON_TYPE, 'x-api-key: unknown']],
  ['403', 'without the scope', [JSON_TYPE, withoutScope]],
  ['403', 'of a foreign page', [JSON_TYPE, publisherKey, 'origin: https://evil.test']],
  ['415', 'of another type', ['content-type: text/plain', publisherKey]],
] as const;

for (const [size, length] of lengths) {
  test.each(refusals)(
    `[LIVE] ${size} is refused unread with %s when it comes %s, and the connection ends`,
    async (status, _, head) => {
      const answer = await refusalOf(strictPolicy, [length, ...head]);
      expect(answer).toMatch(`HTTP/1.1 ${status} `);
      expect(answer).toMatch(/^connection: close\r$/im);
    },
  );
}

test('[LIVE] a length above the limit is refused unread with 413', async () => {
  const answer = await refusalOf(openPolicy, [JSON_TYPE, lengths[0][1]]);
  expect(answer).toMatch('HTTP/1.1 413 ');
});
