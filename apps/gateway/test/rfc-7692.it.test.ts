import { constants, createDeflateRaw, deflateRawSync } from 'node:zlib';
import { answerHead, bomb, clientFrame, deflated } from '@leque/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type GatewayUnderTest, startGateway } from './support/gateway.ts';
import { answered, openSession, PONG, ping, textOf } from './support/ping-client.ts';

const OFFER = { 'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits' };
const PING = 9;
const COMPRESSED = 0x40;
const LARGEST = 65_536;
const LONG = 'a story that says the same again and again. '.repeat(100);

/** The offers of clients are cases of `compression.it.test.ts`. */
describe('RFC 7692', () => {
  let gateway: GatewayUnderTest;
  beforeAll(async () => {
    gateway = await startGateway({ AUTH_MODE: 'open', WEBSOCKET_COMPRESSION: 'on' });
  });
  afterAll(() => gateway?.[Symbol.asyncDispose]());

  test('§7.1.1: the server says that it keeps no context, and compresses each message by itself', async () => {
    const { headers } = await answerHead(gateway.url, {
      path: '/ws/notifications',
      headers: OFFER,
    });
    expect(headers['sec-websocket-extensions']).toContain('server_no_context_takeover');
    using client = await openSession(gateway.url, OFFER);
    for (const n of [1, 2]) {
      await gateway.publish({ type: 'story', channel: 'all', data: { n, text: LONG } });
    }
    await client.first((frame) => textOf(frame).includes('"n":2'));
    const stories = client.frames.filter((frame) => textOf(frame).includes(LONG));
    expect(stories.map(({ reserved }) => reserved)).toEqual([COMPRESSED, COMPRESSED]);
  });

  test.for<readonly [string, readonly Buffer[]]>([
    ['§7.2.1: a compressed message', [message(deflated(ping('id')))]],
    ['§6: a message that is not compressed', [clientFrame(ping('id'))]],
    ['§6.1: a compressed message in fragments', fragments(deflated(ping('id')))],
    ['§7.2.3.3: a block without compression', [message(stored(ping('id')))]],
    ['§7.2.3.4: a block that says that it is the last', [message(final(ping('id')))]],
    ['§7.2.3.5: two blocks', [message(blocks('{"action":"ping"', ',"id":"id"}'))]],
    ['§7.2.3.6: an empty message', [message(Buffer.from([0])), message(deflated(ping('id')))]],
    ['[CC]: the longest message', [message(deflated(ping('id').padEnd(LARGEST)))]],
  ])('%s is understood', async ([, frames]) => {
    using client = await openSession(gateway.url, OFFER);
    client.write(...frames);
    expect(await answered(client)).toEqual(['id']);
  });

  test('§7.2.3.2: a message may refer to an earlier one', async () => {
    const texts = [ping('first'), ping('second'), ping('first')];
    const compressed = await inOneContext(texts);
    expect(compressed[2]?.length).toBeLessThan(deflated(ping('first')).length);
    using client = await openSession(gateway.url, OFFER);
    client.write(...compressed.map((each) => message(each)));
    expect(await answered(client)).toEqual(['first', 'second', 'first']);
  });

  test.for<readonly [string, readonly Buffer[], number]>([
    ['§5: a reserved bit of another extension', [clientFrame('x', { reserved: 0x20 })], 1002],
    [
      '§6.1: a compressed control frame',
      [clientFrame('', { opcode: PING, compressed: true })],
      1002,
    ],
    ['§6.1: a compressed pong', [clientFrame('', { opcode: PONG, compressed: true })], 1002],
    [
      '§6.1: the bit on a later fragment',
      fragments(deflated(ping('id')), { compressed: true }),
      1002,
    ],
    ['§7.2.2: bytes that are not compressed', [message(Buffer.from('ffffffff', 'hex'))], 1007],
    ['§7.2.2: compressed bytes that are not UTF-8', [message(deflated(Buffer.from([0xff])))], 1007],
    ['§8, [MEM]: a message that inflates to more than the limit', [bomb(LARGEST + 1)], 1009],
    ['§8, [MEM]: a message that inflates to 5 MB', [bomb(5_000_000)], 1009],
  ])('%s ends the connection', async ([, frames, code]) => {
    using client = await openSession(gateway.url, OFFER);
    client.write(...frames);
    expect(await client.closed).toBe(code);
  });

  test('§6: the bit ends a connection on which no compression was agreed', async () => {
    using client = await openSession(gateway.url);
    client.write(message(deflated(ping('id'))));
    expect(await client.closed).toBe(1002);
  });
});

function message(payload: Buffer): Buffer {
  return clientFrame(payload, { compressed: true });
}

/** A compressed message in three frames; the options are those of the later ones. */
function fragments(payload: Buffer, later: { readonly compressed?: boolean } = {}): Buffer[] {
  return [
    clientFrame(payload.subarray(0, 3), { compressed: true, final: false }),
    clientFrame(payload.subarray(3, 6), { ...later, opcode: 0, final: false }),
    clientFrame(payload.subarray(6), { ...later, opcode: 0 }),
  ];
}

function stored(text: string): Buffer {
  const flush = constants.Z_SYNC_FLUSH;
  return deflateRawSync(text, { level: 0, finishFlush: flush }).subarray(0, -4);
}

function final(text: string): Buffer {
  return Buffer.concat([deflateRawSync(text), Buffer.from([0])]);
}

function blocks(first: string, second: string): Buffer {
  const flush = constants.Z_SYNC_FLUSH;
  return Buffer.concat([deflateRawSync(first, { finishFlush: flush }), deflated(second)]);
}

/** Compresses one text after the other, as a client that keeps its context. */
async function inOneContext(texts: readonly string[]): Promise<Buffer[]> {
  const deflate = createDeflateRaw();
  const messages: Buffer[] = [];
  for (const text of texts) {
    deflate.write(text);
    await new Promise<void>((resolve) => deflate.flush(constants.Z_SYNC_FLUSH, resolve));
    messages.push((deflate.read() as Buffer).subarray(0, -4));
  }
  deflate.close();
  return messages;
}
