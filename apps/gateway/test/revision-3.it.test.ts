import { once } from 'node:events';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { EngineClient } from './support/engine-client.ts';
import { type GatewayUnderTest, startGateway, tokenFor } from './support/gateway.ts';

const ON = { SOCKETIO_EIO3: 'on' };

test('[IO10.1] a client of Engine.IO 3 begins in the root namespace without an error', async () => {
  await using gateway = await startGateway(ON);
  await using client = await open3(gateway);
  client.socket.send('40/events,');
  await expect
    .poll(() => client.packets.slice(1))
    .toContainEqual(expect.stringMatching(/^44\/events,/));
  expect(client.packets[1]).toBe('40');
});

test('[IO10.3] a client of Engine.IO 3 joins with a token in its CONNECT packet, and gets events with one argument', async () => {
  await using gateway = await startGateway({ ...ON, SOCKETIO_RECOVERY: 'on' });
  await using client = await open3(gateway);
  client.socket.send(`40/events?token=${await tokenFor('alice')},`);
  await expect.poll(() => client.eventsOf('connected')).toEqual([[expect.any(Object)]]);
  await gateway.publish({ type: 'told', data: {}, user_id: 'alice' });
  await expect.poll(() => client.eventsOf('told')).toEqual([[expect.any(Object)]]);
  client.socket.send('2');
  await expect.poll(() => client.packets.at(-1)).toBe('3');
});

test('[IO10.1] a client of Engine.IO 4 that joins the root namespace and /events gets both', async () => {
  await using gateway = await startGateway();
  using client = await EngineClient.open(gateway.url);
  client.say('40', `40/events,${JSON.stringify({ token: await tokenFor('alice') })}`);
  await expect.poll(() => client.of('connected')).toHaveLength(1);
  await expect.poll(() => client.packets).toContainEqual(expect.stringMatching(/^40\{/));
});

test('[IO10.2] a client that joins only the root namespace gets an error that names /events', async () => {
  await using gateway = await startGateway();
  using client = await EngineClient.open(gateway.url);
  client.say('40');
  await expect.poll(() => client.packets).toContainEqual(expect.stringMatching(/^44\{.*\/events/));
});

test.each([Buffer.from('x'), '451-/events,["x",{"_placeholder":true,"num":0}]'])(
  '[IO7] a binary packet ends the connection, even when the client stays responsive: %s',
  async (packet) => {
    await using gateway = await startGateway();
    using client = await EngineClient.open(gateway.url);
    await client.join(`40/events,${JSON.stringify({ token: await tokenFor('alice') })}`);
    client.say(packet);
    await expect.poll(() => client.closeCode).toBeDefined();
    expect(client.of('error')).toMatchObject([{ code: 1003 }]);
  },
);

async function open3(gateway: GatewayUnderTest) {
  const url = `${gateway.url.replace('http', 'ws')}/socket.io/?EIO=3&transport=websocket`;
  const socket = new WebSocket(url);
  const packets: string[] = [];
  socket.on('message', (data) => packets.push(String(data)));
  await once(socket, 'open');
  const start = '42/events,';
  return {
    socket,
    packets,
    /** The arguments of all events with this name so far. */
    eventsOf: (name: string): unknown[][] =>
      packets
        .filter((packet) => packet.startsWith(`${start}["${name}"`))
        .map((packet) => JSON.parse(packet.slice(start.length)).slice(1)),
    async [Symbol.asyncDispose]() {
      socket.terminate();
    },
  };
}
