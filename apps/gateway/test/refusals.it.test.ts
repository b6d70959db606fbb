import { generateKeyPairSync, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MemoryCluster, MemoryClusterState } from '@leque/broker-memory';
import { CLOSE, ProtocolError } from '@leque/protocol';
import { io } from 'socket.io-client';
import { expect, test } from 'vitest';
import { EngineClient } from './support/engine-client.ts';
import { type GatewayUnderTest, startGateway, tokenFor } from './support/gateway.ts';
import { RawClient } from './support/raw-client.ts';

/** A key server that answers when the test lets it, and a token that its keys verify. */
async function startSlowKeys() {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const { promise, resolve: answer } = Promise.withResolvers<void>();
  let asked = 0;
  const server = createServer(async (_request, response) => {
    asked += 1;
    await promise;
    const keys = [{ ...publicKey.export({ format: 'jwk' }), kid: '1', alg: 'EdDSA' }];
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys }));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const exp = Math.floor(Date.now() / 1000) + 60;
  const signed = `${encode({ alg: 'EdDSA', kid: '1' })}.${encode({ sub: 'alice', exp })}`;
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`,
    token: `${signed}.${sign(null, Buffer.from(signed), privateKey).toString('base64url')}`,
    answer,
    asked: () => asked,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await once(server.close(), 'close');
    },
  };
}

/** Begins a drain that stays in progress, because only one of two clients is moved at once. */
async function beginToDrain(gateway: GatewayUnderTest): Promise<Disposable> {
  const clients = [1, 2].map(() => new RawClient(gateway.url, '/ws/notifications'));
  await expect.poll(() => clients.map((each) => each.of('connection').length)).toEqual([1, 1]);
  void gateway.stop();
  await Promise.race(clients.map((each) => each.closed));
  return {
    [Symbol.dispose]() {
      for (const each of clients) each[Symbol.dispose]();
    },
  };
}

const refusals = (gateway: GatewayUnderTest) =>
  gateway.telemetry.of('connection_refused').map(({ transport, code }) => ({ transport, code }));

test('[CC] a client whose token was being verified when the drain began is closed with 1012 and a reconnect hint', async () => {
  await using keys = await startSlowKeys();
  const env = { AUTH_MODE: 'open', JWT_SECRET: '', JWKS_URL: keys.url, DRAIN_TIMEOUT: '10' };
  await using gateway = await startGateway(env);
  using late = new RawClient(gateway.url, '/ws/notifications', keys.token);
  await expect.poll(keys.asked).toBe(1);
  using _ = await beginToDrain(gateway);
  keys.answer();
  const { code, reason } = await late.closed;
  expect({ code, hint: Number(reason) < 1000 }).toEqual({ code: CLOSE.drained, hint: true });
  expect(refusals(gateway)).toEqual([{ transport: 'ws', code: 'draining' }]);
});

test('[IO6.1] a client that joins the namespace during a drain has its transport closed, and reconnects', async () => {
  await using gateway = await startGateway({ AUTH_MODE: 'open', DRAIN_TIMEOUT: '10' });
  using late = await EngineClient.open(gateway.url);
  using _ = await beginToDrain(gateway);
  late.say(`40/events,${JSON.stringify({ token: await tokenFor('alice') })}`);
  await expect.poll(() => late.closeCode).toBeDefined();
  expect(late.of('connected')).toEqual([]);
  expect(refusals(gateway)).toEqual([{ transport: 'socketio', code: 'draining' }]);
});

test('[CC] a client that finds the node full is refused with 1013, and that is reported', async () => {
  await using gateway = await startGateway({ AUTH_MODE: 'open', WEBSOCKET_MAX_CONNECTIONS: '1' });
  using first = new RawClient(gateway.url, '/ws/notifications');
  await expect.poll(() => first.of('connection')).toHaveLength(1);
  using second = new RawClient(gateway.url, '/ws/notifications');
  expect(await second.closed).toEqual({ code: CLOSE.tryAgainLater, reason: 'this node is full' });
  expect(refusals(gateway)).toEqual([{ transport: 'ws', code: 'unavailable' }]);
});

test('[IO2] a count that cannot be read does not end a session', async () => {
  const state = new MemoryClusterState(new MemoryCluster());
  state.userConnections = async () => {
    throw new ProtocolError('unavailable', 'no answer in time');
  };
  await using gateway = await startGateway({}, { state });
  const socket = io(`${gateway.url}/events`, { auth: { token: await tokenFor('alice') } });
  using _ = { [Symbol.dispose]: () => void socket.disconnect() };
  const heard: unknown[] = [];
  socket.on('x', ({ data }) => heard.push(data));
  await expect.poll(() => socket.connected).toBe(true);
  const answer = await socket.emitWithAck('ping', { n: 1 });
  expect(answer).toMatchObject({ n: 1 });
  await gateway.publish({ type: 'x', data: { n: 1 }, user_id: 'alice' });
  await expect.poll(() => heard).toEqual([{ n: 1 }]);
  expect(gateway.telemetry.of('session_closed')).toEqual([]);
});
