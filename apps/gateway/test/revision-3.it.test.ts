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

test('[IO10.3] a client of Engine.IO 3 polls with payloads of its revision, pings, and upgrades with a probe', async () => {
  await using gateway = await startGateway(ON);
  const url = `${gateway.url}/socket.io/?EIO=3&transport=polling`;
  const poll = async (sid: string) => decode3(await (await fetch(`${url}&sid=${sid}`)).text());
  const post = async (sid: string, ...packets: readonly string[]) => {
    const body = packets.map((packet) => `${packet.length}:${packet}`).join('');
    return (await fetch(`${url}&sid=${sid}`, { method: 'POST', body })).text();
  };
  const [open = '', root] = decode3(await (await fetch(url)).text());
  const { sid, upgrades } = JSON.parse(open.slice(1));
  expect([upgrades, root ?? (await poll(sid))[0]]).toEqual([['websocket'], '40']);
  expect(await post(sid, '2', `40/events?token=${await tokenFor('alice')},`)).toBe('ok');
  const packets: string[] = [];
  while (!packets.some((packet) => packet.includes('"connections.count"'))) {
    packets.push(...(await poll(sid)));
  }
  expect(packets[0]).toBe('3');
  await using socket = await open3(gateway, `&sid=${sid}`);
  socket.socket.send('2probe');
  await expect.poll(() => socket.packets).toEqual(['3probe']);
  expect(await poll(sid)).toEqual(['6']);
  socket.socket.send('5');
  await gateway.publish({ type: 'told', data: {}, user_id: 'alice' });
  await expect.poll(() => socket.eventsOf('told')).toEqual([[expect.any(Object)]]);
});

test.each(['1:', 'x:2', '2', '99:2', '1:x'])(
  'the payload %s ends a polling client of Engine.IO 3',
  async (body) => {
    await using gateway = await startGateway(ON);
    const url = `${gateway.url}/socket.io/?EIO=3&transport=polling`;
    const [open = ''] = decode3(await (await fetch(url)).text());
    const own = `${url}&sid=${JSON.parse(open.slice(1)).sid}`;
    await fetch(own, { method: 'POST', body });
    const isGone = async () => {
      const answer = await fetch(own);
      return answer.status !== 200 || decode3(await answer.text()).includes('1');
    };
    await expect.poll(isGone).toBe(true);
    expect(gateway.telemetry.of('failure')).toEqual([]);
  },
);

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

async function open3(gateway: GatewayUnderTest, query = '') {
  const url = `${gateway.url.replace('http', 'ws')}/socket.io/?EIO=3&transport=websocket${query}`;
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

/** The packets of a payload, each after its length and a colon. */
function decode3(payload: string): string[] {
  const packets: string[] = [];
  for (let rest = payload; rest !== ''; ) {
    const colon = rest.indexOf(':');
    const end = colon + 1 + Number(rest.slice(0, colon));
    packets.push(rest.slice(colon + 1, end));
    rest = rest.slice(end);
  }
  return packets;
}

test.each(['EIO=3&transport=polling', 'transport=polling', 'EIO=3&transport=websocket'])(
  '[IO10.4] where revision 3 is not served, the refusal of %s names the variable',
  async (query) => {
    await using gateway = await startGateway();
    const answer = await fetch(`${gateway.url}/socket.io/?${query}`);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toEqual({
      code: 5,
      message: expect.stringContaining('SOCKETIO_EIO3'),
    });
  },
);
