import { post, wsUrl } from '@leque/lab';
import { startFaultProxy, startLeque, startRedis } from '@leque/testkit';
import { expect, test } from 'vitest';
import { type Follow, fromGuide, type Numbered } from '../support/guide.ts';
import { redisCommand } from '../support/redis-client.ts';

const PATIENCE = { timeout: 20_000 };
/** Longer than a read of a history may take, and shorter than the time for an outcome. */
const PAUSE_MS = '1200';

/** Follows a project as the guide does, and comes back at once. */
async function startFollowing(url: string) {
  const atOnce = { floor: Math.floor, min: Math.min, random: () => 0.1 };
  const follow = await fromGuide<Follow>('follow', { Math: atOnce });
  const seen: number[] = [];
  let gaps = 0;
  const onGap = () => {
    gaps += 1;
  };
  const onEvent = ({ data }: Numbered) => void seen.push(data.n);
  const stop = follow(url, 'F', { getToken: async () => '', onEvent, onGap });
  return {
    seen,
    gaps: () => gaps,
    [Symbol.dispose]: stop,
  };
}

test.for(['/ws/project/F', '/ws/notifications'])(
  '[GAP] [RE4] a client of %s written as in the guide misses nothing when its history cannot be read as it comes back',
  { timeout: 60_000 },
  async (path) => {
    await using redis = await startRedis({ own: true });
    await using server = await startLeque({ REDIS_URL: redis.url, AUTH_MODE: 'open' });
    await using link = await startFaultProxy({ target: server.url });
    using client = await startFollowing(wsUrl(link.through(server.url + path), ''));
    const publish = async (n: number) => {
      const event = { type: 'x', project_id: 'F', data: { n }, idempotency_key: `${n}` };
      const status = async () => (await post(`${server.url}/api/publish`, event)).status;
      await expect.poll(status, PATIENCE).toBe(200);
    };
    const ready = async () => (await fetch(`${server.url}/readyz`)).status;
    await expect.poll(ready, PATIENCE).toBe(200);
    await expect.poll(() => link.connections, PATIENCE).toBeGreaterThan(0);

    for (const n of [1, 2, 3]) await publish(n);
    await expect.poll(() => client.seen.at(-1), PATIENCE).toBe(3);
    link.refuse();
    for (const n of [4, 5, 6]) await publish(n);
    await redisCommand(redis.url, 'CLIENT', 'PAUSE', PAUSE_MS, 'WRITE');
    link.restore();
    await publish(7);
    await expect.poll(() => client.seen.at(-1), PATIENCE).toBe(7);
    expect({ seen: client.seen, gaps: client.gaps() }).toEqual({
      seen: client.seen.includes(1) ? [1, 2, 3, 4, 5, 6, 7] : [2, 3, 4, 5, 6, 7],
      gaps: 0,
    });
  },
);
