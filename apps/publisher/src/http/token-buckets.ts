import type { Clock } from '@leque/core';
import { LRUCache } from 'lru-cache';

/** Callers whose buckets are remembered; a forgotten one starts with a full bucket again. */
const MAX_CALLERS = 10_000;

export interface Rate {
  /** Units that a bucket gains per second. */
  readonly perSecond: number;
  /** Units in a full bucket: what a caller may use at once. */
  readonly burst: number;
}

export interface Quota {
  readonly allowed: boolean;
  /** Whole units that are left. */
  readonly remaining: number;
  /** Milliseconds until the same request is allowed; 0 when it was allowed. */
  readonly retryInMs: number;
  /** Milliseconds until the bucket is full. */
  readonly fullInMs: number;
}

/** A token bucket for each caller. */
export class TokenBuckets {
  readonly rate: Rate;
  readonly #clock: Pick<Clock, 'monotonic'>;
  /** When the bucket of a caller will be full; an unknown one is full. */
  readonly #fullAt = new LRUCache<string, number>({ max: MAX_CALLERS });

  constructor(rate: Rate, clock: Pick<Clock, 'monotonic'>) {
    this.rate = rate;
    this.#clock = clock;
  }

  /**
   * Takes units out of the caller's bucket, unless it has too few. More units than a full bucket has
   * are taken from a full one, which then needs longer to fill.
   */
  take(caller: string, units: number): Quota {
    const now = this.#clock.monotonic();
    const { perSecond, burst } = this.rate;
    const fullAt = Math.max(now, this.#fullAt.get(caller) ?? now);
    const held = burst - ((fullAt - now) * perSecond) / 1000;
    const missing = Math.min(units, burst) - held;
    if (missing > 0) return quota(held, (missing * 1000) / perSecond, fullAt - now);
    const next = fullAt + (units * 1000) / perSecond;
    this.#fullAt.set(caller, next);
    return quota(held - units, 0, next - now);
  }
}

function quota(held: number, retryInMs: number, fullInMs: number): Quota {
  const remaining = Math.max(0, Math.floor(held));
  return { allowed: retryInMs === 0, remaining, retryInMs, fullInMs };
}
