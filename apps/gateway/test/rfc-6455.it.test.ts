import { answerHead, clientFrame, type RequestOptions, SAMPLE_ACCEPT } from '@leque/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type GatewayUnderTest, startGateway } from './support/gateway.ts';
import { answered, openSession, PONG, ping } from './support/ping-client.ts';

const PATH = '/ws/notifications';
const BINARY = 2;
const CLOSE = 8;
const PING = 9;
const LARGEST = 65_536;

type Violation = readonly [what: string, frames: readonly Buffer[], code: number];

/** Each case is a connection of its own; cases are numbered by the sections of the RFC. */
describe('RFC 6455', () => {
  let gateway: GatewayUnderTest;
  beforeAll(async () => {
    gateway = await startGateway({ AUTH_MODE: 'open' });
  });
  afterAll(() => gateway?.[Symbol.asyncDispose]());

  test('§1.3, §4.2.2: the answer proves that the key was read, and selects nothing that was not offered', async () => {
    const { status, headers } = await answerHead(gateway.url, { path: PATH });
    expect(status).toBe(101);
    expect(headers).toMatchObject({ upgrade: 'websocket', 'sec-websocket-accept': SAMPLE_ACCEPT });
    expect(headers['connection']).toMatch(/^upgrade$/i);
    expect(headers['sec-websocket-protocol']).toBeUndefined();
    expect(headers['sec-websocket-extensions']).toBeUndefined();
  });

  test.for<[what: string, request: Partial<RequestOptions>, status: number]>([
    [
      'names of headers in capitals',
      { headers: { 'Sec-WebSocket-Version': undefined, 'SEC-WEBSOCKET-VERSION': '13' } },
      101,
    ],
    ['`Upgrade` among other tokens', { headers: { Connection: 'keep-alive, Upgrade' } }, 101],
    ['any case of `websocket`', { headers: { Upgrade: 'WebSocket' } }, 101],
    ['a request without a key', { headers: { 'Sec-WebSocket-Key': undefined } }, 400],
    ['a key of 15 bytes', { headers: { 'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAA' } }, 400],
    ['a key that is not base64', { headers: { 'Sec-WebSocket-Key': '!'.repeat(24) } }, 400],
    ['a request without a version', { headers: { 'Sec-WebSocket-Version': undefined } }, 400],
    ['a request without `Upgrade`', { headers: { Upgrade: undefined, Connection: 'close' } }, 426],
    ['another method than GET', { method: 'POST' }, 404],
    ['a request of HTTP/1.0', { version: '1.0' }, 426],
    ['a request without `Host`', { headers: { Host: undefined } }, 400],
    ['an upgrade to something else', { headers: { Upgrade: 'h2c, websocket2' } }, 426],
  ])('[AD.13] §4.2.1: %s is answered with the right status', async ([, request, status]) => {
    expect((await answerHead(gateway.url, { path: PATH, ...request })).status).toBe(status);
  });

  test.for(['7', '12', '14', 'x'])(
    '§4.4: version %s is refused with those that are served',
    async (version) => {
      const headers = { 'Sec-WebSocket-Version': version };
      const answer = await answerHead(gateway.url, { path: PATH, headers });
      expect(answer.status).toBe(400);
      expect(answer.headers['sec-websocket-version']).toContain('13');
    },
  );

  /** The message and what is the matter with its frames, which end the connection with the code. */
  const violations: readonly Violation[] = [
    ['§5.1: a frame without a mask', [clientFrame(ping('x'), { mask: null })], 1002],
    ...[0x40, 0x20, 0x10, 0x70].map((reserved) =>
      violation(`§5.2: the reserved bits 0x${reserved.toString(16)}`, { reserved }),
    ),
    ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode) =>
      violation(`§5.2: the reserved opcode ${opcode}`, { opcode }),
    ),
    ['§5.2: a length beyond 63 bits', [clientFrame('x', { length: 2n ** 63n + 1n })], 1009],
    [
      '§5.2: a length that only an integer of 64 bits holds',
      [clientFrame('x', { length: 2n ** 53n })],
      1009,
    ],
    [
      '§5.2, [CC]: a message above the limit',
      [clientFrame('x', { length: BigInt(LARGEST + 1) })],
      1009,
    ],
    ['§5.4: a last fragment without a first', [clientFrame('x', { opcode: 0 })], 1002],
    ['§5.4: a fragment without a first', [clientFrame('x', { opcode: 0, final: false })], 1002],
    [
      '§5.4: a message within another',
      [clientFrame('x', { final: false }), clientFrame('y')],
      1002,
    ],
    [
      '§5.4: fragments within a message',
      [clientFrame('x', { final: false }), clientFrame('y', { final: false })],
      1002,
    ],
    [
      '§5.4: a continuation after the last',
      [...fragments('"x"', 'x'), clientFrame('y', { opcode: 0 })],
      1002,
    ],
    ...[CLOSE, PING, PONG].flatMap((opcode) => [
      violation(`§5.5: a fragment of the control frame ${opcode}`, { opcode, final: false }),
      [
        '§5.5: 126 bytes in a control frame',
        [clientFrame('x'.repeat(126), { opcode })],
        1002,
      ] as const,
    ]),
    ['§5.6, [CC]: a binary message', [clientFrame('x', { opcode: BINARY })], 1003],
    ['§5.5.1: a close frame of one byte', [clientFrame('x', { opcode: CLOSE })], 1002],
    ['§5.5.1: a reason that is not UTF-8', [closeFrame(1000, Buffer.from([0xff]))], 1007],
    ...[0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535].map(
      (code) => [`§7.4: the close code ${code}`, [closeFrame(code)], 1002] as const,
    ),
  ];
  test.for(violations)('%s ends the connection', async ([, frames, code]) => {
    using client = await openSession(gateway.url);
    client.write(...frames);
    expect(await client.closed).toBe(code);
  });

  test.for<[string, readonly Buffer[]]>([
    [
      '§5.3: a mask that changes each byte',
      [clientFrame(ping('id'), { mask: Buffer.from('37fa213d', 'hex') })],
    ],
    ...[125, 126, 127, 65_535, LARGEST].map(
      (length) =>
        [`§5.2: ${length} bytes`, [clientFrame(ping('id').padEnd(length))]] as [string, Buffer[]],
    ),
    [
      '§5.4: a message in three fragments',
      fragments(ping('id').slice(0, 5), ping('id').slice(5, 9), ping('id').slice(9)),
    ],
    ['§5.4: empty fragments', fragments('', ping('id'), '', '')],
    ['§5.4: a message in fragments of one byte', fragments(...ping('id'))],
    [
      '§5.5.3: a pong that nobody has asked for',
      [
        clientFrame('', { opcode: PONG }),
        clientFrame('x', { opcode: PONG }),
        clientFrame(ping('id')),
      ],
    ],
  ])('%s is understood', async ([, frames]) => {
    using client = await openSession(gateway.url);
    client.write(...frames);
    expect(await answered(client)).toEqual(['id']);
    expect(
      client.frames.filter(({ masked, final, reserved }) => masked || !final || reserved !== 0),
    ).toEqual([]);
  });

  test('§5.2: a frame is understood in whatever pieces it arrives', async () => {
    using client = await openSession(gateway.url);
    for (const byte of clientFrame(ping('id'))) {
      client.write(Buffer.from([byte]));
      await new Promise(setImmediate);
    }
    expect(await answered(client)).toEqual(['id']);
  });

  test('§5.4, §5.5.2: pings between fragments are answered at once, and each with its own payload', async () => {
    using client = await openSession(gateway.url);
    const payloads = ['', 'first', '\u0000\u00ff'.repeat(40), 'x'.repeat(125)];
    const [first = Buffer.alloc(0), last = Buffer.alloc(0)] = fragments(
      '{"action":"ping"',
      ',"id":"id"}',
    );
    client.write(first, ...payloads.map((payload) => clientFrame(payload, { opcode: PING })));
    const { payload } = await client.first((frame) => frame.payload.length === 125);
    expect(String(payload)).toBe(payloads.at(-1));
    client.write(last);
    expect(await answered(client)).toEqual(['id']);
    expect(client.payloads(PONG).map(String)).toEqual(payloads);
  });

  test.for([
    1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999,
  ])(
    '§5.5.1, §7.4: the close code %s is repeated, and nothing is answered after it',
    async (code) => {
      using client = await openSession(gateway.url);
      client.write(closeFrame(code, 'x'.repeat(123)), clientFrame(ping('id')));
      expect(await client.closed).toBe(code);
      expect(client.frames.at(-1)?.opcode).toBe(CLOSE);
    },
  );

  test('§5.5.1, §7.1.5: a close frame without a code is answered by one without', async () => {
    using client = await openSession(gateway.url);
    client.write(clientFrame('', { opcode: CLOSE }));
    expect(await client.closed).toBe(1005);
  });

  test.for([
    'κόσμε',
    '\u0080',
    '\u07ff',
    '\u0800',
    '\ud7ff',
    '\ue000',
    '\ufffd',
    '\ufffe',
    '\uffff',
    '\u{10000}',
    '\u{10ffff}',
    '\ufeff',
  ])(
    '§8.1: the text %j arrives as it was sent, in one frame and cut within each character',
    async (text) => {
      using client = await openSession(gateway.url);
      const bytes = Buffer.from(ping(text));
      client.write(clientFrame(bytes));
      for (const at of bytes.keys())
        client.write(...fragments(bytes.subarray(0, at), bytes.subarray(at)));
      expect(new Set(await answered(client))).toEqual(new Set([text]));
    },
  );

  test.for([
    'ff',
    'fe',
    '80',
    'bf', // bytes that begin no character
    'c3',
    'e282',
    'f09f98',
    'c328',
    'e28228', // a character that is cut
    'c080',
    'c1bf',
    'e08080',
    'f0808080', // longer than it needs to be
    'eda080',
    'edbfbf',
    'eda080edb080', // halves of surrogate pairs
    'f4908080',
    'f8888080',
    'fc8480808080', // beyond the last character
  ])(
    '§8.1: the bytes %s in a text end the connection, in one frame and cut anywhere',
    async (hex) => {
      const text = Buffer.concat([Buffer.from('{"a":"'), Buffer.from(hex, 'hex')]);
      const cuts = [...Buffer.from(hex, 'hex').keys()].map((at) => 6 + at);
      for (const frames of [
        [clientFrame(text)],
        ...cuts.map((at) => fragments(text.subarray(0, at), text.subarray(at))),
      ]) {
        using client = await openSession(gateway.url);
        client.write(...frames);
        expect(await client.closed).toBe(1007);
      }
    },
  );
});

function violation(what: string, options: object): Violation {
  return [what, [clientFrame(ping('x'), options)], 1002];
}

/** Splits one message into frames, one for each part. */
function fragments(...parts: readonly (string | Buffer)[]): Buffer[] {
  return parts.map((part, at) =>
    clientFrame(part, { opcode: at === 0 ? 1 : 0, final: at === parts.length - 1 }),
  );
}

function closeFrame(code: number, reason: string | Buffer = ''): Buffer {
  const bytes = Buffer.from([code >> 8, code & 0xff]);
  return clientFrame(Buffer.concat([bytes, Buffer.from(reason)]), { opcode: CLOSE });
}
