import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EngineClient } from './support/engine-client.ts';
import { type GatewayUnderTest, startGateway, tokenFor } from './support/gateway.ts';

const joinPacket = async () => `40/events,${JSON.stringify({ token: await tokenFor('alice') })}`;
const PING = '42/events,["ping",{"n":1}]';

/**
 * Cases of the protocol of Socket.IO, revision 5. By design it differs here in these rules, which have
 * tests of their own: [IO1.2] one connection is one session, [IO7] binary packets, [IO10.2] the root
 * namespace, [IN1.5] CONNECT to other namespaces before `/events`.
 */
describe('Socket.IO 5', () => {
  let gateway: GatewayUnderTest;
  beforeAll(async () => {
    gateway = await startGateway();
  });
  afterAll(() => gateway?.[Symbol.asyncDispose]());

  const join = async () => {
    const client = await EngineClient.open(gateway.url);
    await client.join(await joinPacket());
    return client;
  };

  test('CONNECT is answered with the id of the socket, which is not that of the connection', async () => {
    using client = await join();
    const { sid } = client.connected();
    expect(sid).toMatch(/^[\w-]{20}$/);
    expect(client.packets[0]).not.toContain(sid);
  });

  test.for([['40/events'], ['40/events,'], ['40/events,{}'], ['40/events,{"token":1}']])(
    'CONNECT by %s, without a token, is refused with a message',
    async ([packet = '']) => {
      using client = await EngineClient.open(gateway.url);
      client.say(packet);
      const refusal = JSON.parse((await client.first('44/events,')).slice('44/events,'.length));
      expect(refusal).toEqual({ message: expect.any(String), data: { code: 'token_missing' } });
    },
  );

  test('CONNECT to a namespace that is not there is refused, and the session goes on', async () => {
    using client = await join();
    client.say('40/other,');
    expect(await client.first('44/other,')).toBe('44/other,{"message":"Invalid namespace"}');
    client.say(PING);
    await client.first('42/events,["pong"');
  });

  test.for<[id: string]>([['0'], ['1'], ['456789'], ['9007199254740991']])(
    'an EVENT with the id %s is acknowledged once, with this id',
    async ([id]) => {
      using client = await join();
      client.say(`42/events,${id}["ping",{"n":1}]`);
      const ack = await client.first('43/events,');
      expect(ack.startsWith(`43/events,${id}[`)).toBe(true);
      client.say(PING);
      await expect.poll(() => client.of('pong')).toHaveLength(2);
      expect(client.packets.filter((packet) => packet.startsWith('43'))).toEqual([ack]);
    },
  );

  test.for([
    ['an ACK that nobody has asked for', '43/events,12["x"]'],
    ['an ACK without an id', '43/events,["x"]'],
    ['an ACK without data', '43/events,12'],
    ['an EVENT with a number for a name', '42/events,[1]'],
    ['an EVENT without data', '42/events'],
    ['an EVENT with a member of objects for a name', '42/events,["constructor"]'],
    ['an EVENT with a member of objects in its data', '42/events,["ping",{"__proto__":{"n":1}}]'],
  ])('%s does no harm', async ([, packet = '']) => {
    using client = await join();
    client.say(packet, PING);
    await expect.poll(() => client.of('pong').some(({ n }) => n === 1)).toBe(true);
    expect(gateway.telemetry.of('failure')).toEqual([]);
  });

  test.for([
    '4',
    '4x',
    '47/events,["ping"]',
    '42/events,{}',
    '42/events,"ping"',
    '42/events,[]',
    '42/events,[null]',
    '42/events,[{"a":1}]',
    '42/events,["ping"',
    '42/events,["ping"]]',
    '42/events,12{}',
    '42/events,["connect"]',
    '42/events,["connect_error"]',
    '42/events,["disconnect"]',
    '42/events,["disconnecting"]',
    '42/events,["newListener"]',
    '42/events,["removeListener"]',
    '43/events,1{}',
    '43/events,1"x"',
    '40/events,[]',
    '40/events,"x"',
    '41/events,{}',
    '45/events,["ping"]',
    '450-/events,["ping"]',
    '45x-/events,["ping"]',
    '42/other,["ping"]',
    '42["ping"]',
  ])('the packet %s ends the connection', async (packet) => {
    using client = await join();
    client.say(packet);
    expect(await client.closed).toBeGreaterThanOrEqual(1000);
    expect(gateway.telemetry.of('failure')).toEqual([]);
  });

  test.for([PING, '43/events,1[]', '42["ping"]'])(
    'the packet %s before a CONNECT ends the connection',
    async (packet) => {
      using client = await EngineClient.open(gateway.url);
      client.say(packet);
      expect(await client.closed).toBeGreaterThanOrEqual(1000);
    },
  );

  test('DISCONNECT ends the session, and nothing is sent for it any more', async () => {
    using client = await join();
    const before = gateway.telemetry.of('session_closed').length;
    client.say('41/events,');
    await expect.poll(() => gateway.telemetry.of('session_closed').length).toBe(before + 1);
    await gateway.publish({ type: 'told', data: {}, user_id: 'alice' });
    expect(client.of('told')).toEqual([]);
  });
});
