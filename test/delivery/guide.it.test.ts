import { inSeconds, post, tokenFor, wsUrl } from '@leque/lab';
import { type ServerProcess, startFaultProxy, startLeque } from '@leque/testkit';
import { io } from 'socket.io-client';
import { describe, expect, test } from 'vitest';
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

describe('[GAP] [DUP] [IO8.9] an official client as in the guide that hears a room by a grant', () => {
  const PROJECT = 'room';

  async function startListener(leque: ServerProcess, url: string) {
    let isOpen = false;
    const getGrants = async (ttl = 600) => {
      const asked = { user_id: 'ana', projects: [PROJECT], ttl };
      const headers = { authorization: `Bearer ${tokenFor('app', { scope: 'grant' })}` };
      const { body } = await post(`${leque.url}/api/grants`, asked, headers);
      return (body['grants'] as { grant: string }[]).map(({ grant }) => grant);
    };
    const official = recorder();
    const listen = await fromGuide<Listen>('listen', {
      io: (address: string, options: object) => io(address, { ...options, forceNew: true }),
    });
    const getToken = async () => tokenFor('ana', { projects: [] });
    const socket = listen(url, getToken, {
      onGap: official.onGap,
      getGrants: async () => (isOpen ? getGrants() : []),
    });
    socket.on('x', official.onEvent);
    await new Promise<void>((resolve) => void socket.once('connected', () => resolve()));
    const subscribe = async (seconds: number) => {
      const [grant] = await getGrants(seconds);
      isOpen = true;
      await socket.timeout(5000).emitWithAck('subscribe.project', { project_id: PROJECT, grant });
    };
    let n = 0;
    const next = async (where: object = { project_id: PROJECT }) => {
      n += 1;
      await publish(leque.url, { ...where, data: { n } });
      return n;
    };
    return {
      ...official,
      socket,
      subscribe,
      next,
      [Symbol.dispose]: () => void socket.disconnect(),
    };
  }

  test('comes back into it, and misses nothing', async () => {
    await using leque = await startLeque(ENV);
    await using proxy = await startFaultProxy({ target: leque.url });
    using client = await startListener(leque, new URL(proxy.through(leque.url)).origin);
    await client.subscribe(600);
    for (let cut = 1; cut <= 3; cut += 1) {
      const before = await client.next();
      await expect.poll(() => client.seen.at(-1), PATIENCE).toBe(before);
      proxy.cut();
      const missed = await client.next();
      await expect.poll(() => client.seen.at(-1), PATIENCE).toBe(missed);
    }
    expect(client.seen).toEqual([1, 2, 3, 4, 5, 6]);
    expect(client.gaps()).toBe(0);
  });

  test('comes back into it with a new grant after the last one has ended', async () => {
    await using leque = await startLeque(ENV);
    await using proxy = await startFaultProxy({ target: leque.url });
    using client = await startListener(leque, new URL(proxy.through(leque.url)).origin);
    const ended = new Promise<void>((resolve) => {
      client.socket.once('unsubscribed.project', () => resolve());
    });
    await client.subscribe(1);
    const first = await client.next();
    await expect.poll(() => client.seen, PATIENCE).toEqual([first]);
    await ended;
    const other = await client.next({ user_id: 'ana' }); // its offset says that the room has ended
    await expect.poll(() => client.seen, PATIENCE).toEqual([first, other]);
    const missed = await client.next();
    proxy.cut();
    await expect.poll(() => client.seen, PATIENCE).toEqual([first, other, missed]);
    const live = await client.next();
    await expect.poll(() => client.seen, PATIENCE).toEqual([first, other, missed, live]);
    expect(client.gaps()).toBe(0);
  });
});
