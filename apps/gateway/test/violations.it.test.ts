import { once } from 'node:events';
import { clientFrame } from '@leque/testkit';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { startGateway, tokenFor } from './support/gateway.ts';
import { RawClient } from './support/raw-client.ts';
import { writeFrames } from './support/write-frames.ts';

const PING = clientFrame('{"action":"ping","id":1}');
const SUBSCRIBE = clientFrame('{"action":"subscribe","project_id":"P","id":2}');

const violations = [
  { what: 'a reserved bit', frame: Buffer.from([0xc1, 0x80, 0, 0, 0, 0]), code: 1002 },
  { what: 'a frame without a mask', frame: Buffer.from([0x81, 0]), code: 1002 },
  { what: 'a reserved opcode', frame: clientFrame('x', { opcode: 3 }), code: 1002 },
  { what: 'a continuation of nothing', frame: clientFrame('x', { opcode: 0 }), code: 1002 },
  { what: 'a ping in fragments', frame: clientFrame('', { opcode: 9, final: false }), code: 1002 },
  { what: 'a close code that is none', frame: clientFrame('\x00\x01', { opcode: 8 }), code: 1002 },
  { what: 'text that is not UTF-8', frame: clientFrame(Buffer.from([0xff])), code: 1007 },
  { what: 'a message that is too large', frame: clientFrame('x'.repeat(300)), code: 1009 },
  { what: 'a binary message', frame: clientFrame('x', { opcode: 2 }), code: 1003 },
];

test.concurrent.for(violations)(
  '[IN2.3] commands before $what in one packet are answered, then comes $code',
  async ({ frame, code }, { expect }) => {
    await using gateway = await startGateway({ WEBSOCKET_MAX_MESSAGE_SIZE: '200' });
    const token = await tokenFor('alice', { projects: ['P'] });
    using client = new RawClient(gateway.url, '/ws/notifications', token);
    await expect.poll(() => client.of('connection')).toHaveLength(1);
    writeFrames(client.socket, Buffer.concat([PING, SUBSCRIBE, frame, PING]));
    expect(await client.closed).toMatchObject({ code });
    expect(client.messages.map(({ type, id }) => [type, id])).toEqual([
      ['connection', undefined],
      ['pong', 1],
      ['subscribed', 2],
    ]);
  },
);

test.each([
  { offered: ['leque'], chosen: 'leque' },
  { offered: ['chat', 'leque'], chosen: 'leque' },
  { offered: ['leque', 'bearer.TOKEN'], chosen: 'leque' },
])(
  '[AD.3] of the subprotocols $offered the server chooses $chosen',
  async ({ offered, chosen }) => {
    await using gateway = await startGateway({ AUTH_MODE: 'open' });
    const token = await tokenFor('alice');
    const named = offered.map((name) => name.replace('TOKEN', token));
    const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/ws/notifications`, named);
    using _ = { [Symbol.dispose]: () => socket.terminate() };
    await once(socket, 'open');
    expect(socket.protocol).toBe(chosen);
  },
);

test.each([[['chat']], [['bearer.TOKEN']]])(
  '[AD.14] the unknown subprotocols %j are not confirmed',
  async (offered) => {
    await using gateway = await startGateway({ AUTH_MODE: 'open' });
    const token = await tokenFor('alice');
    const named = offered.map((name) => name.replace('TOKEN', token));
    const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/ws/notifications`, named);
    const [error] = await once(socket, 'error');
    expect(String(error)).toContain('Server sent no subprotocol');
  },
);
