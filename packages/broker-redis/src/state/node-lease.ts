import { randomBytes } from 'node:crypto';
import type { Clock, Telemetry } from '@leque/core';
import type { RedisLink } from '../link/redis-link.ts';

export interface NodeLeaseDeps {
  readonly link: Pick<RedisLink, 'call'>;
  /** The sorted set of leases, see functions/lease.lua. */
  readonly key: string;
  readonly nodeId: string;
  /** How long this node counts after its last renewal. */
  readonly leaseMs: number;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
}

export interface Renewal {
  /** True when the lease had expired or is new; the node must then write its counts again. */
  readonly lapsed: boolean;
  /** Whether a node that was alive at the last renewal is gone. */
  readonly othersGone: boolean;
}

/** Keeps this node's lease alive, so that its counts are included, and lists the other live nodes (CNT). */
export class NodeLease {
  /** New for each start, so that no count of an earlier process is taken for this one's. */
  readonly id: string;
  readonly #deps: NodeLeaseDeps;
  #live: ReadonlySet<string> = new Set();
  #renewedAt = Number.NEGATIVE_INFINITY;

  constructor(deps: NodeLeaseDeps) {
    this.#deps = deps;
    this.id = `${deps.nodeId}:${randomBytes(4).toString('hex')}`;
  }

  /** Milliseconds since the last renewal; 0 before the first. */
  get ageMs(): number {
    const never = this.#renewedAt === Number.NEGATIVE_INFINITY;
    return never ? 0 : this.#deps.clock.monotonic() - this.#renewedAt;
  }

  async renew(): Promise<Renewal> {
    const { leaseMs, telemetry, clock } = this.#deps;
    const askedAt = clock.monotonic();
    const { wasAlive, live } = await this.#call(this.id, leaseMs);
    const before = this.#live;
    this.#live = new Set(live);
    // An earlier renewal may have revived the lease although its answer was lost, so check the elapsed time too.
    const lapsed = !wasAlive || clock.monotonic() - this.#renewedAt > leaseMs;
    this.#renewedAt = askedAt;
    if (lapsed && before.size > 0) telemetry.report({ type: 'lease_lost' });
    return { lapsed, othersGone: [...before].some((id) => !this.#live.has(id)) };
  }

  /** Reads the lease ids of the other nodes that are alive. */
  async others(): Promise<string[]> {
    const { live } = await this.#call('', 0);
    return live.filter((id) => id !== this.id);
  }

  async giveBack(): Promise<void> {
    await this.#call(this.id, 0);
  }

  async #call(id: string, ttlMs: number): Promise<{ wasAlive: boolean; live: string[] }> {
    const { link, key } = this.#deps;
    const reply = await link.call('leque_lease', key, [id, ttlMs]);
    const [wasAlive, live] = reply as [number, string[]];
    return { wasAlive: wasAlive === 1, live };
  }
}
