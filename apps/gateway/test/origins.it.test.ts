import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type GatewayUnderTest, startGateway, tokenFor } from './support/gateway.ts';

const WEBSOCKET = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
};
const WAYS = [
  { path: '/ws/notifications', headers: WEBSOCKET, accepted: 101 },
  { path: '/socket.io/?EIO=4&transport=websocket', headers: WEBSOCKET, accepted: 101 },
  { path: '/socket.io/?EIO=4&transport=polling', headers: {}, accepted: 200 },
];
const PORT_8080 = 'http://shop.test:8080';

let gateway: GatewayUnderTest;
let behindProxy: GatewayUnderTest;
let token: string;
beforeAll(async () => {
  const list = 'https://App.listed.test/, https://*.preview.test, capacitor://localhost';
  gateway = await startGateway({ CORS_ORIGIN: list });
  behindProxy = await startGateway({ TRUSTED_PROXIES: 'loopback' });
  token = await tokenFor('ana');
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await behindProxy[Symbol.asyncDispose]();
});

/** The answer to a request, with the detail of its problem when it is refused. */
async function answerOf(url: string, headers: Record<string, string>) {
  const asking = request(url, {
    headers: { authorization: `Bearer ${token}`, ...headers },
    agent: false,
    timeout: 5000,
  }).end();
  const ways = ['response', 'upgrade'].map((event) => once(asking, event));
  for (const way of ways) way.catch(() => {}); // one of them never comes
  const [answer] = (await Promise.race(ways)) as [IncomingMessage];
  const refused = (answer.statusCode ?? 0) >= 400;
  const problem = refused ? (JSON.parse(await text(answer)) as { detail: string }) : undefined;
  asking.destroy();
  answer.destroy();
  return { status: answer.statusCode, headers: answer.headers, detail: problem?.detail };
}

describe.each(WAYS)('[AD.12] at $path', ({ path, headers, accepted }) => {
  const ask = (at: GatewayUnderTest, more: Record<string, string>) =>
    answerOf(at.url + path, { ...headers, ...more });

  test.each([
    ['https://shop.test', 'shop.test:443'],
    ['http://shop.test', 'Shop.Test:80'],
    ['https://shop.test', 'shop.test.'],
    ['http://[::1]:5173', '[::1]:5173'],
    ['https://app.listed.test', 'leque.test'],
    ['https://a.b.preview.test', 'leque.test'],
    ['capacitor://localhost', 'leque.test'],
  ])('a page of %s may connect to %s', async (origin, host) => {
    expect(await ask(gateway, { origin, host })).toMatchObject({ status: accepted });
  });

  test('[AD.12.2] a refusal names the origin, the host that it was compared with, and CORS_ORIGIN', async () => {
    const { status, detail } = await ask(gateway, { origin: PORT_8080, host: 'shop.test' });
    expect(status).toBe(403);
    expect(detail).toBe(
      `origin ${PORT_8080} is not allowed: CORS_ORIGIN does not list it, and the page has not the host of this request, shop.test`,
    );
  });

  test('[AD.12.1] only a trusted proxy may say in X-Forwarded-Host which host the page asked', async () => {
    const forwarded = {
      origin: PORT_8080,
      host: '10.0.0.7:9001',
      'x-forwarded-host': 'shop.test:8080',
    };
    expect((await ask(gateway, forwarded)).status).toBe(403);
    expect((await ask(behindProxy, forwarded)).status).toBe(accepted);
    const { status, detail } = await ask(behindProxy, { ...forwarded, origin: 'http://evil.test' });
    expect(status).toBe(403);
    expect(detail).toContain('10.0.0.7:9001, shop.test:8080');
  });
});

test('answers to polling may be read by allowed pages that send credentials, and by no others', async () => {
  const url = `${gateway.url}/socket.io/?EIO=4&transport=polling`;
  const origin = 'https://app.listed.test';
  const allowed = await answerOf(url, { origin, host: 'leque.test' });
  expect(allowed.headers).toMatchObject({
    'access-control-allow-origin': origin,
    'access-control-allow-credentials': 'true',
  });
  const foreign = await answerOf(url, { origin: PORT_8080, host: 'leque.test' });
  expect(foreign.headers['access-control-allow-origin']).toBeUndefined();
});

test('in open mode X-Forwarded-Host opens no way around ALLOWED_HOSTS (DNS rebinding)', async () => {
  await using open = await startGateway({ AUTH_MODE: 'open', TRUSTED_PROXIES: 'loopback' });
  const url = `${open.url}/socket.io/?EIO=4&transport=polling`;
  const origin = 'http://evil.test';
  for (const [host, forwarded] of [
    ['evil.test', 'localhost'],
    ['localhost', 'evil.test'],
  ] as const) {
    const headers = { origin, host, 'x-forwarded-host': forwarded };
    expect((await answerOf(url, headers)).status).toBe(403);
  }
});
