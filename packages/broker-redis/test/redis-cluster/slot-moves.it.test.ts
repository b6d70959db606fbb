import { startRedisCluster, uniquePrefix } from '@leque/testkit';
import { describeOnRedisServers } from '@leque/testkit/contracts';
import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { startNode } from '../support/redis-node.ts';

const TIMEOUT = { timeout: 60_000 };
const ON_ITS_WAY = 'TRYAGAIN leque: ';
const EVENT = JSON.stringify({ type: 'x', data: {} });

/** A slot that is about to move, and calls of both masters meanwhile. */
async function startMoving() {
  await using stack = new AsyncDisposableStack();
  const cluster = stack.use(await startRedisCluster());
  const prefix = uniquePrefix();
  const key = `${prefix}{project:P}`;
  for (const { url } of await cluster.masters()) {
    await using loader = await startNode({ url, prefix, receives: false });
    await expect.poll(() => loader.broker.health()).toEqual({ ok: true });
  }
  const from = await cluster.masterOf(key);
  const to = (await cluster.masters()).find((master) => master !== from) ?? from;
  const connect = ({ url }: { url: string }) =>
    stack.adopt(new Redis(url), (redis) => redis.disconnect());
  const [source, target] = [connect(from), connect(to)];
  const slot = String(await source.call('CLUSTER', 'KEYSLOT', key));
  const begin = async () => {
    const [old, next] = [
      await source.call('CLUSTER', 'MYID'),
      await target.call('CLUSTER', 'MYID'),
    ];
    await target.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', String(old));
    await source.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', String(next));
  };
  /** Asks the target the way a client does that was redirected by ASK. */
  const askTarget = async (name: string, ...args: string[]) => {
    const [, reply] = await Promise.all([
      target.call('ASKING'),
      target.call('FCALL', name, '1', key, ...args).catch(String),
    ]);
    return reply;
  };
  const move = (...suffixes: string[]) => {
    const where = ['127.0.0.1', String(to.port), '', '0', '1000', 'KEYS'];
    return source.call('MIGRATE', ...where, ...suffixes.map((suffix) => `${key}:${suffix}`));
  };
  const owner = stack.move();
  const release = () => owner.disposeAsync();
  return { key, source, begin, askTarget, move, [Symbol.asyncDispose]: release };
}

describeOnRedisServers('a slot that moves to another master', () => {
  test.for([
    ['nothing', []],
    ['its meta', ['meta']],
    ['its log', ['log']],
    ['all but an idempotency key', ['meta', 'log', 'idem:K1']],
  ] as const)(
    '[ACK] stores nothing at the target while a channel is incomplete there; present: %s',
    TIMEOUT,
    async ([, arrived]) => {
      await using all = await startMoving();
      const { key, source, begin, askTarget, move } = all;
      for (const id of ['K1', 'K2']) {
        await source.call('FCALL', 'leque_publish', '1', key, EVENT, id);
      }
      await begin();
      if (arrived.length > 0) expect(await move(...arrived)).toBe('OK');
      const again = await source.call('FCALL', 'leque_publish', '1', key, EVENT).catch(String);
      expect(again).toContain('ASK ');
      expect(await askTarget('leque_publish', EVENT, 'K2')).toContain(ON_ITS_WAY);
      if (arrived.length < 3) {
        expect(await askTarget('leque_publish', EVENT)).toContain(ON_ITS_WAY);
        expect(await askTarget('leque_append', 'x', 'id', EVENT, '')).toContain(ON_ITS_WAY);
        expect(await askTarget('leque_position')).toContain(ON_ITS_WAY);
        expect(await askTarget('leque_history', 'newest', '', '', '9', '999')).toContain(
          ON_ITS_WAY,
        );
      }
      const left = ['meta', 'log', 'idem:K1', 'idem:K2'].filter(
        (name) => !arrived.includes(name as never),
      );
      expect(await move(...left)).toBe('OK');
      const [, , offset, known] = (await askTarget('leque_publish', EVENT, 'K2')) as unknown[];
      expect([offset, known]).toEqual([2, 1]);
      expect(await askTarget('leque_publish', EVENT)).toMatchObject({ 2: 3, 3: 0 });
    },
  );
});
