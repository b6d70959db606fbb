import { type Cancel, type Clock, every } from '@leque/core';
import type { Redis } from 'ioredis';
import { COMMAND_DEADLINE_MS, withDeadline } from '../lib/deadline.ts';
import type { ChannelHandler } from '../link/redis-subscriber.ts';

const PERIOD_MS = 2000;
/** One that is only behind brings one of them in this time. */
const MISSES = 2;

export interface BusBarrierDeps {
  readonly clock: Clock;
  /** This node's own, of the whole Cluster. */
  readonly redisChannel: string;
  /** One call for each master. */
  readonly onEachMaster: (command: (redis: Redis) => Promise<unknown>) => Promise<unknown>[];
}

/**
 * Settles once everything that was published to the whole Cluster before has arrived: what one
 * master publishes comes in order, so a mark from each of them comes last.
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

  /** Why what is published to the whole Cluster may not arrive. */
  get problem(): string | undefined {
    const isDeaf = this.#misses >= MISSES;
    return isDeaf ? 'what some masters publish to the whole Cluster does not arrive' : undefined;
  }

  /** Proves from now on that it arrives, by what is published to this node itself (HON). */
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
