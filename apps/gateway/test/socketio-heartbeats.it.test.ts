import { io } from 'socket.io-client';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { EngineClient } from './support/engine-client.ts';
import { type GatewayUnderTest, startGateway, tokenFor } from './support/gateway.ts';
import { PollingClient } from './support/polling-client.ts';

/** The shortest durations that can be configured, in seconds. */
const QUICK = { WEBSOCKET_HEARTBEAT_INTERVAL: '1', WEBSOCKET_TIMEOUT: '2' };
const PATIENCE = { timeout: 10_000 };
const PING = '2';

const joinPacket = async (user: string) =>
  `40/events,${JSON.stringify({ token: await tokenFor(user) })}`;

/** All at once, because each takes as long as heartbeats take. */
describe.concurrent('heartbeats', () => {
  let gateway: GatewayUnderTest;
  beforeAll(async () => {
    gateway = await startGateway(QUICK);
  });
  afterAll(() => gateway?.[Symbol.asyncDispose]());

  const users = () => [...gateway.hub.sessions].map(({ identity }) => identity.userId);

  test.for([
    { what: 'on a WebSocket', transports: ['websocket'] },
    { what: 'that polls', transports: ['polling'] },
    { what: 'that polls and then upgrades', transports: ['polling', 'websocket'] },
  ])(
    '[LIVE] an official client $what answers heartbeats and stays connected',
    async ({ transports }, { expect }) => {
      const auth = { token: await tokenFor(transports.join('-')) };
      const options = { auth, transports, reconnection: false, forceNew: true };
      const socket = io(`${gateway.url}/events`, options);
      const answers: unknown[] = [];
      socket.on('pong', (answer) => answers.push(answer));
      let pings = 0;
      socket.io.on('ping', () => {
        pings += 1;
      });
      await expect.poll(() => pings, PATIENCE).toBeGreaterThanOrEqual(4);
      socket.emit('ping', { n: 1 });
      await expect.poll(() => answers).toMatchObject([{ n: 1 }]);
      expect(users()).toContain(transports.join('-'));
      socket.close();
    },
  );

  test('[LIVE] a client that has fallen silent on a WebSocket is closed after the timeout', async ({
    expect,
  }) => {
    using client = await EngineClient.open(gateway.url);
    await client.join(await joinPacket('silent'));
    await client.closed;
    expect(client.packets.filter((packet) => packet === PING).length).toBeGreaterThanOrEqual(1);
    await expect.poll(users).not.toContain('silent');
    const reasons = gateway.telemetry.of('session_closed').map(({ reason }) => reason);
    expect(reasons).toContain('ping timeout');
  });

  test('[LIVE] a client that polls, and answers no ping, is closed after the timeout', async ({
    expect,
  }) => {
    await using client = await PollingClient.open(gateway.url);
    await client.join(await joinPacket('silent-poller'));
    await client.until((packet) => packet === PING);
    await expect.poll(users, PATIENCE).not.toContain('silent-poller');
    expect(await client.isGone()).toBe(true);
  });

  test('[LIVE] a client that polls, and answers each ping, stays', async ({ expect }) => {
    await using client = await PollingClient.open(gateway.url);
    await client.join(await joinPacket('polling'));
    for (let pings = 1; pings <= 3; pings += 1) {
      const sent = () => client.packets.filter((packet) => packet === PING).length;
      await client.until(() => sent() >= pings);
      expect((await client.post('3')).status).toBe(200);
    }
    expect(users()).toContain('polling');
  });
});
