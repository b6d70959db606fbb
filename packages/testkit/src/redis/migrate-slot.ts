import { type Ask, ask, asking } from './ask.ts';
import type { TestRedis } from './test-redis.ts';

const TIMEOUT_MS = 1500;

export interface Move {
  readonly slot: number;
  readonly from: TestRedis;
  readonly to: TestRedis;
  /** Nodes that are informed of the new owner. */
  readonly masters: readonly TestRedis[];
}

/** Moves a slot with its keys, step by step as `redis-cli --cluster reshard` does. */
export async function migrateSlot({ slot, from, to, masters }: Move): Promise<void> {
  const name = String(slot);
  const [source, target] = [await idOf(from), await idOf(to)];
  await ask(to.port, 'CLUSTER', 'SETSLOT', name, 'IMPORTING', source);
  await ask(from.port, 'CLUSTER', 'SETSLOT', name, 'MIGRATING', target);
  await migrateKeys(name, from, to);
  // The new owner is informed first, because the old one redirects clients to it.
  const others = masters.filter((master) => master !== to && master !== from);
  for (const { port } of [to, from, ...others]) {
    await ask(port, 'CLUSTER', 'SETSLOT', name, 'NODE', target);
  }
}

/**
 * One key at a time, which is as unkind as `--cluster-pipeline` can be to what belongs together.
 */
async function migrateKeys(slot: string, from: TestRedis, to: TestRedis): Promise<void> {
  const next = (send: Ask) => send('CLUSTER', 'GETKEYSINSLOT', slot, '1') as Promise<string[]>;
  await asking(from.port, async (send) => {
    for (let [key] = await next(send); key !== undefined; [key] = await next(send)) {
      await send('MIGRATE', '127.0.0.1', String(to.port), key, '0', String(TIMEOUT_MS));
    }
  });
}

async function idOf({ port }: TestRedis): Promise<string> {
  return String(await ask(port, 'CLUSTER', 'MYID'));
}
