import { inSeconds, post, tokenFor, wsUrl } from '@leque/lab';
import { startFaultProxy, startLeque } from '@leque/testkit';
import { io } from 'socket.io-client';
import { expect, test } from 'vitest';
import { type Follow, fromGuide, type Listen, type Numbered } from '../support/guide.ts';

const PATIENCE = { timeout: 20_000 };
const ENV = { JWT_CLOCK_TOLERANCE: '0', WEBSOCKET_HEARTBEAT_INTERVAL: '1' };
/** The tests wait this long where the guide waits for `SILENCE_MS`. */
const SILENCE_MS = 1500;

function recorder() {
  const seen: number[] = [];
  let gaps = 0;
  return {
    seen,
    onEvent: ({ data }: Numbered) => void seen.push(data.n),
    onGap: () => {
      gaps += 1;
    },
    gaps: () => gaps,
  };
}

async function publish(url: string, event: Readonly<Record<string, unknown>>): Promise<void> {
  const { status, body } = await post(`${url}/api/publish`, { type: 'x', ...event });
  expect(status, JSON.stringify(body)).toBe(200);
}

test('[GAP] [DUP] a raw client as in the guide notices a connection that has gone silent, and misses nothing', async () => {
  await using leque = await startLeque(ENV);
  await using proxy = await startFaultProxy({ target: leque.url });
  const follow = await fromGuide<Follow>('follow', {
    setTimeout: (task: () => void, ms: number) => setTimeout(task, Math.min(ms, SILENCE_MS)),
  });
  const { seen, gaps, ...told } = recorder();
  const getToken = async () => tokenFor('ana', { projects: ['P'] });
  const url = proxy.through(wsUrl(leque.url, '/ws/project/P'));
  const stop = follow(url, 'P', { getToken, ...told });
  using _follower = { [Symbol.dispose]: stop };
  let n = 0;
  const next = () => {
    n += 1;
    return publish(leque.url, { project_id: 'P', data: { n } });
  };
  await expect
    .poll(async () => {
      await next();
      return seen.length;
    }, PATIENCE)
    .toBeGreaterThan(0);
  proxy.halfOpen();
  await next();
  proxy.restore();
  await next();
  await expect.poll(() => seen.at(-1), PATIENCE).toBe(n);
  const [first = 0] = seen;
  expect(seen).toEqual(Array.from({ length: n - first + 1 }, (_, index) => first + index));
  expect(gaps()).toBe(0);
});

test('[GAP] [DUP] clients as in the guide come back with a new token when theirs expires, and miss nothing', async () => {
  await using leque = await startLeque(ENV);
  let tokens = 0;
  const getToken = async () => {
    tokens += 1;
    return tokenFor('ana', { projects: ['P'], exp: inSeconds(2) });
  };
  const raw = recorder();
  const official = recorder();
  const follow = await fromGuide<Follow>('follow', {});
  const listen = await fromGuide<Listen>('listen', {
    io: (address: string, options: object) => io(address, { ...options, forceNew: true }),
  });
  const stop = follow(wsUrl(leque.url, '/ws/project/P'), 'P', { getToken, ...raw });
  const socket = listen(leque.url, getToken, { onGap: official.onGap }).on('x', official.onEvent);
  using _clients = {
    [Symbol.dispose]: () => {
      stop();
      socket.disconnect();
    },
  };
  let n = 0;
  const next = async () => {
    n += 1;
    await publish(leque.url, { project_id: 'P', data: { n } });
    await publish(leque.url, { user_id: 'ana', data: { n } });
  };
  await expect
    .poll(async () => {
      await next();
      return Math.min(raw.seen.length, official.seen.length);
    }, PATIENCE)
    .toBeGreaterThan(0);
  await expect
    .poll(async () => {
      await next();
      return tokens;
    }, PATIENCE)
    .toBeGreaterThanOrEqual(6);
  for (const { seen, gaps } of [raw, official]) {
    await expect.poll(() => seen.at(-1), PATIENCE).toBe(n);
    const [first = 0] = seen;
    expect(seen).toEqual(Array.from({ length: n - first + 1 }, (_, index) => first + index));
    expect(gaps()).toBe(0);
  }
});

test('[GAP] [DUP] [IO8.9] an official client as in the guide comes back into a room of a grant, and misses nothing', async () => {
  await using leque = await startLeque(ENV);
  await using proxy = await startFaultProxy({ target: leque.url });
  const asked = { user_id: 'ana', projects: ['room'], ttl: 600 };
  const headers = { authorization: `Bearer ${tokenFor('app', { scope: 'grant' })}` };
  const { body } = await post(`${leque.url}/api/grants`, asked, headers);
  const [{ grant }] = body['grants'] as [{ grant: string }];
  const official = recorder();
  const listen = await fromGuide<Listen>('listen', {
    io: (address: string, options: object) => io(address, { ...options, forceNew: true }),
  });
  const getToken = async () => tokenFor('ana', { projects: [] });
  const socket = listen(new URL(proxy.through(leque.url)).origin, getToken, {
    onGap: official.onGap,
    getGrants: async () => [grant],
  });
  using _client = { [Symbol.dispose]: () => void socket.disconnect() };
  socket.on('x', official.onEvent);
  await new Promise<void>((resolve) => void socket.once('connected', () => resolve()));
  await socket.emitWithAck('subscribe.project', { project_id: 'room', grant });
  let n = 0;
  const next = async () => {
    n += 1;
    await publish(leque.url, { project_id: 'room', data: { n } });
  };
  for (let cut = 1; cut <= 3; cut += 1) {
    await next();
    await expect.poll(() => official.seen.at(-1), PATIENCE).toBe(n);
    proxy.cut();
    await next();
    await expect.poll(() => official.seen.at(-1), PATIENCE).toBe(n);
  }
  expect(official.seen).toEqual([1, 2, 3, 4, 5, 6]);
  expect(official.gaps()).toBe(0);
});
