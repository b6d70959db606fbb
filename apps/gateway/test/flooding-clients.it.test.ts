import { connect } from 'node:net';
import { bomb, clientFrame } from '@leque/testkit';
import { describe, type ExpectStatic, expect, test } from 'vitest';
import { EngineClient } from './support/engine-client.ts';
import { type GatewayUnderTest, startGateway, tokenFor } from './support/gateway.ts';
import { PollingClient } from './support/polling-client.ts';
import { RawClient } from './support/raw-client.ts';
import { writeFrames } from './support/write-frames.ts';

/** A budget that a few packets use up, and that nobody may exceed for long. */
const SMALL = { INPUT_RATE: '1', INPUT_BURST: '40', INPUT_HOLD_LIMIT: '0.3' };
const TIMES = 5000;
const PATIENCE = { timeout: 5000 };
const EMPTY = Buffer.alloc(0);
const joinPacket = async () => `40/events,${JSON.stringify({ token: await tokenFor('mallory') })}`;

/** Checks that another client is served while somebody floods the node. */
async function expectOthersServed(
  gateway: GatewayUnderTest,
  { expect }: { expect: ExpectStatic },
): Promise<void> {
  using other = new RawClient(gateway.url, '/ws/notifications', await tokenFor('alice'));
  await expect.poll(() => other.of('connection'), PATIENCE).toHaveLength(1);
  other.say('ping');
  await expect.poll(() => other.of('pong'), PATIENCE).toHaveLength(1);
}

test('[IN1] a burst of 900 packets and a message of 64 KiB pass with the budgets as they are set', async () => {
  await using gateway = await startGateway();
  using raw = new RawClient(gateway.url, '/ws/notifications', await tokenFor('alice'));
  using engine = await EngineClient.open(gateway.url);
  await engine.join(await joinPacket());
  await expect.poll(() => raw.of('connection'), PATIENCE).toHaveLength(1);
  for (const { socket } of [raw, engine]) {
    writeFrames(socket, clientFrame(EMPTY, { opcode: 10 }), 900);
  }
  raw.say(JSON.stringify({ action: 'ping', id: 'large', padding: 'x'.repeat(65_000) }));
  engine.say(`42/events,["ping",{"padding":"${'x'.repeat(65_000)}"}]`);
  await expect.poll(() => raw.of('pong').map(({ id }) => id), PATIENCE).toEqual(['large']);
  await expect.poll(() => engine.of('pong'), PATIENCE).toHaveLength(1);
  for (const { held } of gateway.hub.counters.transports.values()) expect(held).toBe(0);
});

test('[IN1.3] a client above its budget is held back, served later, and counted once', async () => {
  await using gateway = await startGateway({
    INPUT_RATE: '20',
    INPUT_BURST: '10',
    INPUT_HOLD_LIMIT: '60',
  });
  using client = new RawClient(gateway.url, '/ws/notifications', await tokenFor('alice'));
  await expect.poll(() => client.of('connection'), PATIENCE).toHaveLength(1);
  for (let n = 0; n < 15; n += 1) client.say({ action: 'ping', id: n });
  await expect.poll(() => client.of('pong'), PATIENCE).toHaveLength(15);
  expect(client.of('pong').map(({ id }) => id)).toEqual(Array.from({ length: 15 }, (_, n) => n));
  expect(gateway.hub.counters.of('ws').held).toBe(1);
});

test('[IN1.3] polling requests wait while the budget is spent', async () => {
  await using gateway = await startGateway({
    INPUT_RATE: '20',
    INPUT_BURST: '10',
    INPUT_HOLD_LIMIT: '60',
  });
  await using client = await PollingClient.open(gateway.url);
  const answers = [];
  for (let n = 0; n < 4; n += 1) answers.push(await client.post('3\x1e3\x1e3\x1e3'));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  expect(gateway.hub.counters.of('socketio').held).toBe(1);
});

test('[IN1.4] no packet of a polling body far above the budget is parsed', async () => {
  await using gateway = await startGateway(SMALL);
  await using client = await PollingClient.open(gateway.url);
  await client.join(await joinPacket());
  await client.post(Array<string>(3000).fill('42/events,["ping"]').join('\x1e'));
  const { body } = await client.poll();
  expect(body).toContain('too much input');
  expect(body).not.toContain('pong');
});

test.each([
  'EIO=4&transport=polling&j=0',
  'EIO=4&transport=polling&j=',
  'transport=polling&%6a=0&EIO=4',
  'EIO=3&transport=polling&j=0',
])(
  '[IN1.1] [IO11] no connection begins with JSONP, whose packets cannot be counted: %s',
  async (query) => {
    await using gateway = await startGateway({ SOCKETIO_EIO3: 'on' });
    const answer = await fetch(`${gateway.url}/socket.io/?${query}`);
    expect(await answer.json()).toMatchObject({
      status: 400,
      detail: expect.stringContaining('JSONP'),
    });
  },
);

test('[IN2.2] polling bodies are refused unread with 429 after the close', async () => {
  await using gateway = await startGateway(SMALL);
  await using client = await PollingClient.open(gateway.url);
  await client.join(await joinPacket());
  await client.post(Array<string>(3000).fill('3').join('\x1e'));
  expect(await client.post('3')).toMatchObject({ status: 429 });
});

test('[IN2] no packet of a polling body is parsed after the one that ends the connection', async () => {
  await using gateway = await startGateway({});
  await using client = await PollingClient.open(gateway.url);
  await client.join(await joinPacket());
  // The second CONNECT ends the connection; the events after it are not parsed.
  const packets = ['42/events,["ping",{"n":1}]', '40/events,', '42/events,["ping",{"n":2}]'];
  await client.post(packets.join('\x1e'));
  const { body } = await client.poll();
  expect(body).not.toContain('"n":2');
});

const unreadBodies = [
  { what: 'of an unknown session', method: 'POST', query: 'sid=unknown' },
  { what: 'of a handshake', method: 'POST', query: '' },
  { what: 'in a polling GET', method: 'GET', query: '' },
  { what: 'without an announced size', method: 'POST', query: 'sid=unknown', chunked: true },
];

test.each(unreadBodies)(
  '[IN1] the rest of a request body $what is not read',
  async ({ method, query, chunked = false }) => {
    await using gateway = await startGateway();
    const { hostname, port } = new URL(gateway.url);
    const socket = connect(Number(port), hostname);
    socket.on('error', () => {}).resume(); // the connection ends while this side sends
    const size = chunked ? 'transfer-encoding: chunked' : 'content-length: 10000000000';
    const path = `/socket.io/?EIO=4&transport=polling&${query}`;
    socket.write(`${method} ${path} HTTP/1.1\r\nhost: leque\r\n${size}\r\n\r\n`);
    const chunk = Buffer.from(`fff0\r\n${'x'.repeat(0xfff0)}\r\n`);
    const pour = () => {
      if (!socket.destroyed && socket.write(chunk)) setImmediate(pour);
    };
    socket.on('drain', pour);
    pour();
    await expect.poll(() => socket.destroyed, PATIENCE).toBe(true);
  },
);

const rawFloods = [
  { what: 'text', frame: clientFrame('x'), code: 4029 },
  { what: 'empty text', frame: clientFrame(EMPTY), code: 4029 },
  { what: 'binary', frame: clientFrame('x', { opcode: 2 }), code: 1003 },
  { what: 'empty binary', frame: clientFrame(EMPTY, { opcode: 2 }), code: 1003 },
  { what: 'pings', frame: clientFrame('x', { opcode: 9 }), code: 4029 },
  { what: 'pongs', frame: clientFrame(EMPTY, { opcode: 10 }), code: 4029 },
  { what: 'empty fragments', frame: clientFrame(EMPTY, { opcode: 1, final: false }), code: 1002 },
  { what: 'text that is not UTF-8', frame: clientFrame(Buffer.from([0xff])), code: 1007 },
  { what: 'large messages', frame: clientFrame('x'.repeat(60_000)), code: 4029 },
  { what: 'messages that are too large', frame: clientFrame('x'.repeat(65_535)), code: 1009 },
  { what: 'messages that inflate', frame: bomb(60_000), code: 4029 },
  { what: 'messages that inflate too far', frame: bomb(100_000), code: 1009 },
];

test.concurrent.for(rawFloods)(
  '[IN1.1] [IN1.2] [IN2] a raw client that floods with $what is closed with $code, and others are served',
  async ({ what, frame, code }, { expect }) => {
    await using gateway = await startGateway({
      ...SMALL,
      INPUT_BYTE_RATE: '1000',
      INPUT_BYTE_BURST: '200000',
      WEBSOCKET_COMPRESSION: 'on',
      ...(what.includes('too large') && { WEBSOCKET_MAX_MESSAGE_SIZE: '60000' }),
    });
    using client = new RawClient(gateway.url, '/ws/notifications', await tokenFor('mallory'));
    await expect.poll(() => client.of('connection'), PATIENCE).toHaveLength(1);
    writeFrames(client.socket, frame, Math.min(TIMES, Math.ceil(2_000_000 / frame.length)));
    await expectOthersServed(gateway, { expect });
    expect(await client.closed).toMatchObject({ code });
    await expect
      .poll(() => gateway.telemetry.of('session_closed').map((fact) => fact.code))
      .toContain(code);
  },
);

const packets = [
  { what: 'CONNECTs to the root namespace', packet: '40' },
  { what: 'CONNECTs to an unknown namespace', packet: '40/x,' },
  { what: 'CONNECTs with a bad token', packet: '40/events,{"token":"bad"}' },
  { what: 'pongs of Engine.IO', packet: '3' },
  { what: 'pings of Engine.IO', packet: '2' },
  { what: 'probes', packet: '2probe' },
  { what: 'noops', packet: '6' },
  { what: 'upgrades', packet: '5' },
  { what: 'closes', packet: '1' },
  { what: 'garbage', packet: 'x' },
  { what: 'empty packets', packet: '' },
  { what: 'empty messages', packet: '4' },
  { what: 'events', packet: '42/events,["ping"]' },
  { what: 'acknowledgements', packet: '43/events,1[1]' },
  { what: 'DISCONNECTs of the root namespace', packet: '41' },
  { what: 'DISCONNECTs', packet: '41/events,' },
  { what: 'binary events', packet: '451-/events,["ping",{"_placeholder":true,"num":0}]' },
];

const frames = [
  ...packets.map(({ what, packet }) => ({ what, frame: clientFrame(packet) })),
  { what: 'binary frames', frame: clientFrame('x', { opcode: 2 }) },
  { what: 'ping frames', frame: clientFrame('x', { opcode: 9 }) },
  { what: 'pong frames', frame: clientFrame(EMPTY, { opcode: 10 }) },
  { what: 'fragments', frame: clientFrame(EMPTY, { opcode: 1, final: false }) },
  { what: 'large packets', frame: clientFrame(`43/events,1["${'x'.repeat(60_000)}"]`) },
];

describe.concurrent.each([
  { when: 'before it joins', joins: false },
  { when: 'after it has joined', joins: true },
])('[IN1.1] [IN2] a Socket.IO client $when', ({ joins }) => {
  test.for(frames)(
    'is closed when it floods a WebSocket with $what',
    async ({ frame }, { expect }) => {
      await using gateway = await startGateway(SMALL);
      using client = await EngineClient.open(gateway.url);
      if (joins) await client.join(await joinPacket());
      writeFrames(client.socket, frame, Math.min(TIMES, Math.ceil(2_000_000 / frame.length)));
      await expectOthersServed(gateway, { expect });
      await expect.poll(() => client.closeCode, PATIENCE).toBeDefined();
      await expect.poll(() => gateway.hub.sessions.size, PATIENCE).toBe(0);
    },
  );

  test.for(packets)(
    'is closed when it floods a polling connection with $what',
    async ({ packet }, { expect }) => {
      await using gateway = await startGateway(SMALL);
      await using client = await PollingClient.open(gateway.url);
      if (joins) await client.join(await joinPacket());
      const body = Array<string>(Math.min(3000, Math.floor(60_000 / (packet.length + 1))))
        .fill(packet)
        .join('\x1e');
      void client.post(body);
      await expectOthersServed(gateway, { expect });
      await expect.poll(() => client.isGone(), PATIENCE).toBe(true);
      await expect.poll(() => gateway.hub.sessions.size, PATIENCE).toBe(0);
    },
  );
});
