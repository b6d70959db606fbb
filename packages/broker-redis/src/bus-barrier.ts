import type { Redis } from 'ioredis';
import { COMMAND_DEADLINE_MS, withDeadline } from './deadline.ts';
import type { ChannelHandler } from './redis-subscriber.ts';

export interface BusBarrierParts {
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
  readonly #onEachMaster: BusBarrierParts['onEachMaster'];
  readonly #awaited = new Map<string, { left: number; readonly arrived: () => void }>();
  #marks = 0;

  constructor({ redisChannel, onEachMaster }: BusBarrierParts) {
    this.redisChannel = redisChannel;
    this.#onEachMaster = onEachMaster;
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
}
