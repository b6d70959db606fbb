import { io } from 'socket.io-client';
import { expect, test } from 'vitest';
import { EngineClient } from './support/engine-client.ts';
import { startGateway, tokenFor } from './support/gateway.ts';

/** The shortest durations that can be configured, in seconds. */
const QUICK = { WEBSOCKET_HEARTBEAT_INTERVAL: '1', WEBSOCKET_TIMEOUT: '2' };
const PATIENCE = { timeout: 10_000 };
const PING = '2';

test.each([
  { what: 'on a WebSocket', transports: ['websocket'] },
  { what: 'that polls', transports: ['polling'] },
  { what: 'that polls and then upgrades', transports: ['polling', 'websocket'] },
])(
  '[LIVE] an official client $what answers heartbeats and stays connected',
  async ({ transports }) => {
    await using gateway = await startGateway(QUICK);
    const auth = { token: await tokenFor('alice') };
    const socket = io(`${gateway.url}/events`, { auth, transports, reconnection: false });
    const answers: unknown[] = [];
    socket.on('pong', (answer) => answers.push(answer));
    let pings = 0;
    socket.io.on('ping', () => {
      pings += 1;
    });
    await expect.poll(() => pings, PATIENCE).toBeGreaterThanOrEqual(4);
    socket.emit('ping', { n: 1 });
    await expect.poll(() => answers).toMatchObject([{ n: 1 }]);
    expect(gateway.telemetry.of('session_closed')).toEqual([]);
    socket.close();
  },
);

test('[LIVE] a Socket.IO client that has fallen silent is closed after the timeout', async () => {
  await using gateway = await startGateway(QUICK);
  using client = await EngineClient.open(gateway.url);
  client.say(`40/events,${JSON.stringify({ token: await tokenFor('alice') })}`);
  await expect.poll(() => client.of('connected')).toHaveLength(1);
  await expect.poll(() => client.closeCode, PATIENCE).toBeDefined();
  expect(client.packets.filter((packet) => packet === PING).length).toBeGreaterThanOrEqual(1);
  expect(gateway.telemetry.of('session_closed')).toMatchObject([{ reason: 'ping timeout' }]);
});
