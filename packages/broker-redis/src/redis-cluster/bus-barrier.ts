import { type Cancel, type Clock, every, withDeadline } from '@leque/core';
import type { Redis } from 'ioredis';
import { COMMAND_DEADLINE_MS } from '../lib/deadline.ts';
import type { ChannelHandler } from '../link/redis-subscriber.ts';

const PERIOD_MS = 2000;
/** Missed marks until that is a problem; a master that is only slow delivers one of two. */
const MISSES = 2;

export interface BusBarrierDeps {
  readonly clock: Clock;
  /** A channel of this node that belongs to the whole Redis Cluster, not to a slot. */
  readonly redisChannel: string;
  /** Runs a command on each master; returns one promise for each. */
  readonly onEachMaster: (command: (redis: Redis) => Promise<unknown>) => Promise<unknown>[];
}

/**
 * Waits for everything that was published to the whole Redis Cluster before. The messages of one
 * master arrive in order, so a mark from each master arrives last.
 */
export class BusBarrier implements ChannelHandler {
  readonly redisChannel: string;
  readonly #onEachMaster: BusBarrierDeps['onEachMaster'];
  readonly #awaited = new Map<string, { left: number; readonly arrived: () => void }>();
  readonly #clock: Clock;
  #marks = 0;
  #misses = 0;
  #stop: Cancel | undefined;

  constructor({ redisChannel, onEachMaster, clock }: BusBarrierDeps) {
    this.redisChannel = redisChannel;
    this.#onEachMaster = onEachMaster;
    this.#clock = clock;
  }

  /** Why messages to the whole Redis Cluster may not arrive. */
  get problem(): string | undefined {
    const isDeaf = this.#misses >= MISSES;
    return isDeaf
      ? 'messages that some masters publish to the whole Redis Cluster do not arrive'
      : undefined;
  }

  /** Proves from now on that messages of every master arrive (HON). */
  start(): void {
    this.#stop ??= every(this.#clock, PERIOD_MS, () => void this.#prove());
  }

  stop(): void {
    this.#stop?.();
    this.#stop = undefined;
    this.#misses = 0;
  }

  subscribed(): void {}

  message(payload: Buffer): void {
    const awaited = this.#awaited.get(payload.toString());
    if (awaited === undefined) return;
    awaited.left -= 1;
    if (awaited.left <= 0) awaited.arrived();
  }

  async pass(): Promise<void> {
    this.#marks += 1;
    const mark = String(this.#marks);
    const { promise, resolve } = Promise.withResolvers<void>();
    const publishing = this.#onEachMaster((redis) => redis.publish(this.redisChannel, mark));
    this.#awaited.set(mark, { left: publishing.length, arrived: resolve });
    try {
      const passing = Promise.all([promise, ...publishing]);
      await withDeadline(passing, COMMAND_DEADLINE_MS, 'a mark from every master');
    } finally {
      this.#awaited.delete(mark);
    }
  }

  async #prove(): Promise<void> {
    try {
      await this.pass();
      this.#misses = 0;
    } catch {
      this.#misses += 1;
    }
  }
}
