import { Manager } from 'socket.io-client';
import { expect, test } from 'vitest';
import { EngineClient } from './support/engine-client.ts';
import { startGateway, tokenFor } from './support/gateway.ts';
import { PollingClient } from './support/polling-client.ts';

const connectPacket = async () => `40/events,${JSON.stringify({ token: await tokenFor('alice') })}`;
const named = (packets: readonly string[], name: string) =>
  packets.filter((packet) => packet.startsWith(`42/events,["${name}"`));

test('[IO1.3] DISCONNECT ends the session, and a new CONNECT on the same WebSocket begins another', async () => {
  await using gateway = await startGateway();
  using client = await EngineClient.open(gateway.url);
  for (let round = 1; round <= 3; round += 1) {
    client.say(await connectPacket());
    await expect.poll(() => client.of('connections.count')).toHaveLength(round);
    expect(gateway.hub.sessions.size).toBe(1);
    await gateway.publish({ type: 'x', data: { round }, user_id: 'alice' });
    await expect.poll(() => client.of('x')).toHaveLength(round);
    client.say('41/events,');
    await expect.poll(() => gateway.hub.sessions.size).toBe(0);
    expect(gateway.hub.counters.of('socketio').joining).toBe(1); // it is cut if it does not join again
  }
  expect(client.closeCode).toBeUndefined();
});

test('[IO1.3] DISCONNECT keeps a polling connection, too', async () => {
  await using gateway = await startGateway();
  await using client = await PollingClient.open(gateway.url);
  await client.join(await connectPacket());
  await client.post('41/events,');
  await expect.poll(() => gateway.hub.sessions.size).toBe(0);
  client.packets.length = 0;
  await client.join(await connectPacket());
  expect(gateway.hub.sessions.size).toBe(1);
});

test('[IO1.3] the official client leaves the namespace and joins it again, on a connection that another one keeps', async () => {
  await using gateway = await startGateway();
  const manager = new Manager(gateway.url, { transports: ['websocket'] });
  const token = await tokenFor('alice');
  const events = manager.socket('/events', { auth: { token } });
  const root = manager.socket('/');
  using _ = { [Symbol.dispose]: () => void [events.disconnect(), root.disconnect()] };
  await expect.poll(() => events.connected && root.connected).toBe(true);
  const { id } = manager.engine;
  events.disconnect();
  await expect.poll(() => gateway.hub.sessions.size).toBe(0);
  events.connect();
  const count = new Promise((resolve) => events.once('connections.count', resolve));
  expect(await count).toMatchObject({ count: 1 });
  expect(manager.engine.id).toBe(id);
});

const unfit = [
  { what: 'a binary message', webSocket: Buffer.from('x'), polling: 'beA==', says: 'text packets' },
  {
    what: 'a binary event',
    webSocket: '451-/events,["x",{"_placeholder":true,"num":0}]',
    polling: '451-/events,["x",{"_placeholder":true,"num":0}]',
    says: 'text packets only',
  },
  { what: 'an empty packet', webSocket: '4', polling: '4', says: 'an empty packet' },
];

test.concurrent.for(unfit)(
  '[IO7] $what ends the connection, over a WebSocket and over polling',
  async ({ webSocket, polling, says }, { expect }) => {
    await using gateway = await startGateway();
    using direct = await EngineClient.open(gateway.url);
    await direct.join(await connectPacket());
    await using polls = await PollingClient.open(gateway.url);
    await polls.join(await connectPacket());
    direct.say(webSocket);
    await polls.post(polling);
    const { body } = await polls.poll();
    expect(named(body.split('\x1e'), 'error')[0]).toContain(says);
    await expect.poll(() => direct.closeCode).toBeDefined();
    expect(named(direct.packets, 'error')[0]).toContain(says);
    await expect.poll(() => polls.isGone()).toBe(true);
    await expect.poll(() => gateway.hub.sessions.size).toBe(0);
  },
);
