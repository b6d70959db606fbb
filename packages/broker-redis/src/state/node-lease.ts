import { randomBytes } from 'node:crypto';
import type { Clock, Telemetry } from '@leque/core';
import type { RedisLink } from '../link/redis-link.ts';

export interface NodeLeaseDeps {
  readonly link: Pick<RedisLink, 'call'>;
  /** Where the leases are, see functions/lease.lua. */
  readonly key: string;
  readonly nodeId: string;
  /** How long this node counts after it was last heard of. */
  readonly leaseMs: number;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
}

export interface Renewal {
  /** This node had not counted any more, or not yet: it has to state its numbers again. */
  readonly lapsed: boolean;
  /** Some that were alive before are not any more. */
  readonly othersGone: boolean;
}

/** What makes this node's numbers count, and tells which other nodes' numbers do (CNT). */
export class NodeLease {
  /** Another one for each start, so that nothing of an earlier process counts as ours. */
  readonly id: string;
  readonly #deps: NodeLeaseDeps;
  #live: ReadonlySet<string> = new Set();
  #renewedAt = Number.NEGATIVE_INFINITY;

  constructor(deps: NodeLeaseDeps) {
    this.#deps = deps;
    this.id = `${deps.nodeId}:${randomBytes(4).toString('hex')}`;
  }

  /** Since it was last renewed; 0 before it was. */
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
    // A renewal whose answer was lost may have brought the lease back to life before this one.
    const lapsed = !wasAlive || clock.monotonic() - this.#renewedAt > leaseMs;
    this.#renewedAt = askedAt;
    if (lapsed && before.size > 0) telemetry.report({ type: 'lease_lost' });
    return { lapsed, othersGone: [...before].some((id) => !this.#live.has(id)) };
  }

  /** The lease ids of the other nodes that are alive now. */
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
