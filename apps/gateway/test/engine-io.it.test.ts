import { answerHead } from '@leque/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EngineClient } from './support/engine-client.ts';
import { type GatewayUnderTest, startGateway, tokenFor } from './support/gateway.ts';
import { PollingClient } from './support/polling-client.ts';

const POLLING = 'EIO=4&transport=polling';
const SEPARATOR = '\x1e';
const PATH = '/socket.io/';

const joinPacket = async (user: string) =>
  `40/events,${JSON.stringify({ token: await tokenFor(user) })}`;

/**
 * Cases of the protocol of Engine.IO, revision 4. By design it differs here in these rules, which have
 * tests of their own: [IO7] binary packets, [IO11] JSONP, [AD] refusals before the upgrade.
 */
describe('Engine.IO 4', () => {
  let gateway: GatewayUnderTest;
  beforeAll(async () => {
    gateway = await startGateway();
  });
  afterAll(() => gateway?.[Symbol.asyncDispose]());

  test('a handshake by polling has an id of its own, an upgrade, and the times and sizes that hold', async () => {
    await using first = await PollingClient.open(gateway.url);
    await using second = await PollingClient.open(gateway.url);
    const { sid, ...rest } = first.handshake;
    expect(sid).not.toBe(second.handshake.sid);
    expect(rest).toEqual({
      upgrades: ['websocket'],
      pingInterval: 25_000,
      pingTimeout: 65_000,
      maxPayload: 65_536,
    });
  });

  test('a handshake by WebSocket has the same fields, and no upgrade', async () => {
    using client = await EngineClient.open(gateway.url);
    await using polling = await PollingClient.open(gateway.url);
    const open = JSON.parse((await client.first('0')).slice(1));
    expect(open).toEqual({ ...polling.handshake, sid: open.sid, upgrades: [] });
  });

  test.for<[query: string, method: string, code: number]>([
    ['EIO=4', 'GET', 0],
    ['EIO=4&transport=abc', 'GET', 0],
    ['EIO=4&transport=constructor', 'GET', 0],
    ['EIO=4&transport=webtransport', 'GET', 0],
    [`${POLLING}&sid=abc`, 'GET', 1],
    [`${POLLING}&sid=constructor`, 'GET', 1],
    [`${POLLING}&sid=abc`, 'POST', 1],
    [POLLING, 'POST', 2],
    [POLLING, 'PUT', 2],
    ['EIO=4&transport=websocket', 'GET', 3],
    ['transport=polling', 'GET', 5],
    ['EIO=3&transport=polling', 'GET', 5],
    ['EIO=abc&transport=polling', 'GET', 5],
  ])('a request with %s by %s is refused with the code %s', async ([query, method, code]) => {
    const answer = await fetch(`${gateway.url}${PATH}?${query}`, { method });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toEqual({ code, message: expect.any(String) });
  });

  test.for([
    'EIO=4&transport=websocket&sid=abc',
    'transport=websocket',
    'EIO=abc&transport=websocket',
  ])('an upgrade with %s is refused with 400', async (query) => {
    expect((await answerHead(gateway.url, { path: `${PATH}?${query}` })).status).toBe(400);
  });

  test('packets of one body are read in their order, and packets of one answer are told apart', async () => {
    await using client = await PollingClient.open(gateway.url);
    await client.join(await joinPacket('alice'));
    const pings = [1, 2, 3].map((n) => `42/events,["ping",{"n":${n}}]`);
    expect(await client.post(pings.join(SEPARATOR))).toEqual({ status: 200, body: 'ok' });
    await client.until((packet) => packet.includes('"n":3'));
    const pongs = client.packets.filter((packet) => packet.includes('"pong"'));
    expect(pongs.map((packet) => /"n":(\d)/.exec(packet)?.[1])).toEqual(['1', '2', '3']);
  });

  test('a poll waits until there is something', async () => {
    await using client = await PollingClient.open(gateway.url);
    await client.join(await joinPacket('bob'));
    const polled = client.poll();
    await gateway.publish({ type: 'told', data: { n: 1 }, user_id: 'bob' });
    expect((await polled).body).toMatch(/^42\/events,\["told",/);
  });

  test.for<[what: string, body: string, status: number, headers: object]>([
    ['a packet of no known type', 'x', 200, {}],
    ['an empty packet between others', `3${SEPARATOR}${SEPARATOR}3`, 200, {}],
    ['a ping, which only servers send', '2', 200, {}],
    ['a body that is declared binary', '3', 400, { 'content-type': 'application/octet-stream' }],
  ])('%s ends a polling connection', async ([, body, status, headers]) => {
    await using client = await PollingClient.open(gateway.url);
    expect((await client.post(body, headers)).status).toBe(status);
    await expect.poll(() => client.isGone()).toBe(true);
  });

  test('a second poll at the same time is refused, and ends the connection', async () => {
    await using client = await PollingClient.open(gateway.url);
    const answers = await Promise.all([client.poll(), client.poll()]);
    expect(answers.map(({ status }) => status)).toContain(400);
    expect(await client.isGone()).toBe(true);
  });

  test.for(['x', '', '2'])('the packet %j ends a WebSocket', async (packet) => {
    using client = await EngineClient.open(gateway.url);
    client.say(packet);
    expect(await client.closed).toBeGreaterThanOrEqual(1000);
  });

  test.for(['3', '6', '3probe'])('the packet %j of a client is ignored', async (packet) => {
    using client = await EngineClient.open(gateway.url);
    client.say(packet, await joinPacket('carol'));
    await client.first('40/events,');
  });

  test('[ORD] [DUP] [GAP] an upgrade with a probe loses nothing and repeats nothing', async () => {
    await using polling = await PollingClient.open(gateway.url);
    await polling.join(await joinPacket('dave'));
    const tell = (n: number) => gateway.publish({ type: 'told', data: { n }, user_id: 'dave' });
    using socket = await upgrade(gateway, polling);
    await tell(1);
    await tell(2);
    socket.say('2probe');
    expect(await socket.first('3')).toBe('3probe');
    await polling.until((packet) => packet === '6');
    socket.say('5');
    await tell(3);
    await socket.first('42/events,["told"');
    await expect.poll(() => numbersOf([...polling.packets, ...socket.packets])).toEqual([1, 2, 3]);
    expect((await polling.poll()).status).toBe(400);
    socket.say('42/events,["ping",{"n":1}]');
    await socket.first('42/events,["pong"');
    using second = await upgrade(gateway, polling);
    expect(await second.closed).toBeGreaterThanOrEqual(1000);
  });

  test('a WebSocket that sends something else than the probe is closed, and polling goes on', async () => {
    await using polling = await PollingClient.open(gateway.url);
    await polling.join(await joinPacket('erin'));
    using socket = await upgrade(gateway, polling);
    socket.say('4nonsense');
    expect(await socket.closed).toBeGreaterThanOrEqual(1000);
    await gateway.publish({ type: 'told', data: {}, user_id: 'erin' });
    await polling.until((packet) => packet.includes('"told"'));
  });

  test('a CLOSE packet ends a polling connection, and answers the poll that waits', async () => {
    await using client = await PollingClient.open(gateway.url);
    await client.join(await joinPacket('frank'));
    const waiting = client.poll();
    await client.post('1');
    expect((await waiting).body).toBe('6');
    expect(await client.isGone()).toBe(true);
    const users = () => [...gateway.hub.sessions].map(({ identity }) => identity.userId);
    await expect.poll(users).not.toContain('frank');
  });

  test('a body above `maxPayload` is refused with 413', async () => {
    await using client = await PollingClient.open(gateway.url);
    expect((await client.post(`4${'x'.repeat(65_536)}`)).status).toBe(413);
  });

  test('a connection whose WebSocket is cut is forgotten', async () => {
    const socket = await EngineClient.open(gateway.url);
    const { sid } = JSON.parse((await socket.first('0')).slice(1));
    socket[Symbol.dispose]();
    const asked = async () => (await fetch(`${gateway.url}${PATH}?${POLLING}&sid=${sid}`)).json();
    await expect.poll(asked).toMatchObject({ code: 1 });
  });
});

async function upgrade(gateway: GatewayUnderTest, { handshake }: PollingClient) {
  return EngineClient.open(gateway.url, `EIO=4&transport=websocket&sid=${handshake.sid}`);
}

function numbersOf(packets: readonly string[]): number[] {
  return packets
    .filter((packet) => packet.startsWith('42/events,["told"'))
    .map((packet) => JSON.parse(packet.slice('42/events,'.length))[1].data.n);
}
