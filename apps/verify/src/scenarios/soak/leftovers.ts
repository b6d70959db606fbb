import { readdirSync } from 'node:fs';
import { Redis } from 'ioredis';
import type { ScenarioContext } from '../../run/scenario-context.ts';
import type { System } from '../../target/system.ts';

const SETTLE_MS = 30_000;
/** Handles allowed for connections that are kept for later requests. */
const MORE_HANDLES = 5;
const SCAN_COUNT = 1000;
const NO_EXPIRY = -1;
/** One key for the whole life of a cluster, with the sums that its statistics tell. */
const TOTALS = '{totals}';

/** Looks whether a system is, when everybody has left, as it was before they came. */
export class Leftovers {
  #handles = 0;
  #keys = new Set<string>();

  async remember(system: System): Promise<void> {
    this.#handles = handlesOf(system);
    this.#keys = new Set(await keysOf(system));
  }

  /** Histories stay for a while: each of their keys has to say how long. */
  async compare(context: ScenarioContext): Promise<void> {
    const { system } = context;
    const free = async () => handlesOf(system) <= this.#handles + MORE_HANDLES;
    await context.expect('open handles are as few as before', free, SETTLE_MS);
    context.notes.push(`open handles: ${this.#handles} before, ${handlesOf(system)} after`);
    let lasting: string[] = [];
    const clean = async () => {
      lasting = await this.#lastingKeys(system);
      return lasting.length === 0;
    };
    if (await context.expect('no key is left behind in Redis', clean, SETTLE_MS)) return;
    context.violations.push(`left behind: ${lasting.slice(0, 5).join(', ')}`);
  }

  async #lastingKeys(system: System): Promise<string[]> {
    const isFresh = (key: string) => !this.#keys.has(key) && !key.endsWith(TOTALS);
    const fresh = (await keysOf(system)).filter(isFresh);
    await using redis = connected(system);
    const ttls = await Promise.all(fresh.map((key) => redis.client.ttl(key)));
    return fresh.filter((_, index) => ttls[index] === NO_EXPIRY);
  }
}

/** Open files and sockets of the last gateway, which is never killed. */
function handlesOf({ gateways }: System): number {
  return readdirSync(`/proc/${gateways.at(-1)?.server.pid}/fd`).length;
}

async function keysOf(system: System): Promise<string[]> {
  await using redis = connected(system);
  const keys: string[] = [];
  for await (const some of redis.client.scanStream({ count: SCAN_COUNT })) keys.push(...some);
  return keys;
}

function connected({ redis }: System) {
  const client = new Redis(redis.standalone.port, '127.0.0.1', { maxRetriesPerRequest: 1 });
  return { client, [Symbol.asyncDispose]: async () => client.disconnect() };
}
