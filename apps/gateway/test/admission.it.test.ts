import { io, type Socket } from 'socket.io-client';
import { expect, test } from 'vitest';
import { type GatewayUnderTest, startGateway, tokenFor } from './support/gateway.ts';
import { RawClient } from './support/raw-client.ts';
import { refusalOf } from './support/refused-upgrade.ts';

/** Admits one client at once and lets two wait; all others are refused. */
const SLOW = { AUTH_MODE: 'open', ADMISSION_RATE: '2', ADMISSION_BURST: '1' };
const CROWD = 30;
const AT_LEAST_REFUSED = 10;

const overloaded = (gateway: GatewayUnderTest, transport: string) =>
  gateway.telemetry
    .of('connection_refused')
    .filter((fact) => fact.code === 'overloaded' && fact.transport === transport).length;

const knock = (gateway: GatewayUnderTest) => refusalOf(gateway, '/ws/notifications');

test('[AD.1] raw clients that exceed the admission rate get 503 and Retry-After before the upgrade', async () => {
  await using gateway = await startGateway(SLOW);
  const answers = await Promise.all(Array.from({ length: CROWD }, () => knock(gateway)));
  const refusals = answers.filter((answer) => answer !== undefined);
  expect(refusals.length).toBeGreaterThanOrEqual(AT_LEAST_REFUSED);
  expect(refusals.length).toBeLessThan(CROWD);
  expect(overloaded(gateway, 'ws')).toBe(refusals.length);
  for (const { statusCode, headers } of refusals) {
    expect(statusCode).toBe(503);
    expect(headers['retry-after']).toMatch(/^[1-5]$/);
    expect(headers['content-type']).toBe('application/problem+json');
  }
});

test('[AD.2] a polling handshake that exceeds the admission rate gets 503 and Retry-After', async () => {
  await using gateway = await startGateway(SLOW);
  const url = `${gateway.url}/socket.io/?EIO=4&transport=polling`;
  const answers = await Promise.all(
    Array.from({ length: CROWD }, () => fetch(url, { headers: { origin: gateway.url } })),
  );
  const refusals = answers.filter(({ status }) => status !== 200);
  expect(refusals.length).toBeGreaterThanOrEqual(AT_LEAST_REFUSED);
  expect(refusals.length).toBeLessThan(CROWD);
  for (const refusal of refusals) {
    expect(refusal.status).toBe(503);
    expect(refusal.headers.get('retry-after')).toMatch(/^[1-5]$/);
    // Without this header the page could not read the answer.
    expect(refusal.headers.get('access-control-allow-origin')).toBe(gateway.url);
    expect(await refusal.json()).toMatchObject({ code: 'overloaded', status: 503 });
  }
});

test.for(['websocket', 'polling'])(
  '[IO6.2] refused official clients reconnect by themselves over %s',
  { timeout: 40_000 },
  async (transport) => {
    await using gateway = await startGateway({ ...SLOW, ADMISSION_RATE: '8' });
    const auth = { token: await tokenFor('alice') };
    const options = { auth, transports: [transport], forceNew: true, reconnectionDelay: 50 };
    const sockets: Socket[] = Array.from({ length: CROWD }, () =>
      io(`${gateway.url}/events`, options),
    );
    using _ = { [Symbol.dispose]: () => sockets.forEach((socket) => void socket.disconnect()) };
    const connected = () => sockets.filter(({ connected }) => connected).length;
    await expect.poll(connected, { timeout: 30_000 }).toBe(CROWD);
    expect(overloaded(gateway, 'socketio')).toBeGreaterThan(0);
  },
);

test('[LIVE] one connection cannot have any number of tokens verified', async () => {
  await using gateway = await startGateway({ ...SLOW, ADMISSION_RATE: '4' });
  using client = new RawClient(gateway.url, '/ws/notifications');
  await expect.poll(() => client.of('connection')).toHaveLength(1);
  const startedAt = performance.now();
  for (let n = 0; n < 5; n += 1) client.say({ action: 'auth', token: 'none' });
  await expect.poll(() => client.of('error').length, { timeout: 10_000 }).toBe(5);
  expect(performance.now() - startedAt).toBeGreaterThan(900);
});

test('[LIVE] a client that leaves while it waits is forgotten, and the next one is admitted', async () => {
  await using gateway = await startGateway({ ...SLOW, ADMISSION_RATE: '4' });
  using first = new RawClient(gateway.url, '/ws/notifications');
  await expect.poll(() => first.of('connection')).toHaveLength(1);
  const leaving = [1, 2].map(() => new RawClient(gateway.url, '/ws/notifications'));
  await expect.poll(() => gateway.connections()).toBe(3);
  for (const each of leaving) each[Symbol.dispose]();
  await Promise.allSettled(leaving.map(({ closed }) => closed));
  using second = new RawClient(gateway.url, '/ws/notifications');
  await expect.poll(() => second.of('connection'), { timeout: 3000 }).toHaveLength(1);
  await expect.poll(() => gateway.hub.sessions.size).toBe(2);
});

test('[CC] [AD] a client that waits when the node begins to drain is refused with the answer of a draining node', async () => {
  await using gateway = await startGateway({ ...SLOW, ADMISSION_RATE: '2' });
  using first = new RawClient(gateway.url, '/ws/notifications');
  await expect.poll(() => first.of('connection')).toHaveLength(1);
  const answered = knock(gateway);
  await expect.poll(() => gateway.connections()).toBe(2);
  await gateway.stop();
  expect((await answered)?.statusCode).toBe(503);
  const [refusal] = gateway.telemetry.of('connection_refused');
  expect(refusal).toMatchObject({ transport: 'ws', code: 'draining' });
});
