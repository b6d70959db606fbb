import { get, post, RawClient, SocketClient, tokenFor, wsUrl } from '@leque/lab';
import { freePorts, startLeque, TEST_API_KEY } from '@leque/testkit';
import { io } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasNginx, startNginx } from './nginx.ts';

const why = hasNginx ? '' : ' (skipped: nginx is not installed)';
const stack = new AsyncDisposableStack();
const token = tokenFor('ana');
const urls = { recipe: '', default: '', forwarded: '', httpHost: '' };
let direct = '';

beforeAll(async () => {
  if (!hasNginx) return;
  const first = await freePorts(4);
  const leque = await startLeque({
    AUTH_MODE: 'required',
    BASE_PATH: '/realtime',
    PUBLISH_API_KEYS: TEST_API_KEY,
    TRUSTED_PROXIES: 'loopback',
  });
  stack.use(leque);
  direct = leque.url;
  const upstream = leque.url;
  const pass = `location / { proxy_pass ${upstream}; }`;
  const servers = [
    `proxy_set_header Host $host; ${pass}`,
    pass,
    `proxy_set_header X-Forwarded-Host $http_host; ${pass}`,
    `proxy_set_header Host $http_host;
     location /realtime/ { proxy_pass ${upstream}; }
     location /stripped/ { proxy_pass ${upstream}/; }`,
  ];
  const listening = servers.map((directives, index) => ({ port: first + index, directives }));
  stack.use(await startNginx(listening));
  const urlOf = (index: number) => `http://127.0.0.1:${first + index}`;
  Object.assign(urls, {
    recipe: urlOf(0),
    default: urlOf(1),
    forwarded: urlOf(2),
    httpHost: urlOf(3),
  });
});
afterAll(() => stack.disposeAsync());

/** Whether a page of the proxy's own origin may connect in each way, or the sentence that refuses it. */
async function outcomes(url: string) {
  const headers = { origin: url };
  const raw = await get(`${url}/ws/notifications?token=${token}`, headers);
  const polling = await get(`${url}/socket.io/?EIO=4&transport=polling`, headers);
  const api = await get(`${url}/api/ws/connections`, {
    ...headers,
    authorization: `Bearer ${TEST_API_KEY}`,
  });
  return [raw, polling, api].map(({ status, body }) => ({ status, detail: body['detail'] }));
}

describe.skipIf(!hasNginx)(`[AD.12] behind a real nginx${why}`, () => {
  test.each(['recipe', 'default'] as const)(
    'a page on another port than 80 is refused by a sentence that names both sides (%s)',
    async (kind) => {
      const url = urls[kind];
      const asked = kind === 'recipe' ? '127.0.0.1' : new URL(direct).host;
      for (const { status, detail } of (await outcomes(url)).slice(1)) {
        expect(status).toBe(403);
        expect(detail).toBe(
          `origin ${url} is not allowed: CORS_ORIGIN does not list it, and the page has not the host of this request, ${asked}`,
        );
      }
      const options = { token, headers: { origin: url } };
      const refused = await RawClient.refusal(`${wsUrl(url, '/ws/notifications')}`, options);
      expect(refused.status).toBe(403);
    },
  );

  test('a page is served where the proxy names the host in X-Forwarded-Host', async () => {
    const url = urls.forwarded;
    const headers = { origin: url };
    await using _raw = await RawClient.connect(wsUrl(url, '/ws/notifications'), { token, headers });
    for (const transport of ['websocket', 'polling'] as const) {
      await using _socket = await SocketClient.connect(url, { token, headers, transport });
    }
    expect((await outcomes(url)).map(({ status }) => status)).toEqual([426, 200, 200]);
  });

  test.each(['/realtime', '/stripped'])('everything is served beneath %s', async (prefix) => {
    const url = `${urls.httpHost}${prefix}`;
    const headers = { origin: urls.httpHost };
    const key = { ...headers, authorization: `Bearer ${TEST_API_KEY}` };
    await using raw = await RawClient.connect(wsUrl(url, '/ws/notifications'), { token, headers });
    const socket = io(`${urls.httpHost}/events`, {
      path: `${prefix}/socket.io`,
      auth: { token },
      forceNew: true,
      reconnection: false,
    });
    await using _end = { [Symbol.asyncDispose]: async () => void socket.disconnect() };
    await new Promise<void>((resolve, reject) => {
      socket.once('connected', () => resolve()).once('connect_error', reject);
    });
    const event = { type: 'note', user_id: 'ana', data: {} };
    expect((await post(`${url}/api/publish`, event, key)).status).toBe(200);
    await raw.first('note');
    const { body: api } = await get(`${url}/openapi.json`);
    expect(api['servers']).toEqual([{ url: '/realtime' }]);
    for (const path of ['/docs/', '/docs/listen', '/socket.io/socket.io.min.js', '/readyz']) {
      expect((await get(url + path)).status, path).toBe(200);
    }
    const { body: page } = await get(`${url}/docs/`);
    const [, asset = ''] = /src="([^"]*swagger-ui-bundle\.js)"/.exec(String(page['text'])) ?? [];
    expect((await get(new URL(asset, `${url}/docs/`).href)).status, asset).toBe(200);
    const root = await fetch(`${url}/`, { redirect: 'manual' });
    expect(root.headers.get('location')).toBe('/realtime/docs/listen');
  });
});
