import calculateSlot from 'cluster-key-slot';
import type { Subscriptions } from '../link/redis-link.ts';
import type { ChannelHandler, RedisSubscriber } from '../link/redis-subscriber.ts';
import type { BusBarrier } from './bus-barrier.ts';
import { isSharded } from './sharded-pub-sub.ts';

export interface SlotSubscriptionsDeps {
  /** The subscriber of the master that has the slot. */
  readonly subscriberOf: (slot: number) => RedisSubscriber | undefined;
  readonly all: () => readonly RedisSubscriber[];
  readonly barrier: BusBarrier;
}

/** Subscribes each channel at the master that has its slot, and follows slots that move. */
export class SlotSubscriptions implements Subscriptions {
  readonly #deps: SlotSubscriptionsDeps;
  readonly #bySlot = new Map<number, Map<string, ChannelHandler>>();
  /** The slot whose master delivers all channels without a slot, so that they stay in order. */
  readonly #busSlot: number;

  constructor(deps: SlotSubscriptionsDeps) {
    this.#deps = deps;
    this.#busSlot = calculateSlot(deps.barrier.redisChannel);
  }

  add(redisChannel: string, handler: ChannelHandler): void {
    if (!isSharded(redisChannel)) this.#startBarrier();
    this.#add(redisChannel, handler);
  }

  remove(redisChannel: string): void {
    this.#remove(redisChannel);
    if (!isSharded(redisChannel)) this.#stopBarrier();
  }

  async catchUp(redisChannel: string): Promise<void> {
    const slot = this.#slotOf(redisChannel);
    const subscriber = this.#deps.subscriberOf(slot);
    if (subscriber === undefined) throw new Error(`no master has slot ${slot}`);
    if (isSharded(redisChannel)) return await subscriber.catchUp(redisChannel);
    const { all, barrier } = this.#deps;
    // Every master publishes to a channel without a slot.
    await Promise.all([barrier.pass(), ...all().map((each) => each.catchUp(redisChannel))]);
  }

  /** Subscribes the channels of a slot at its new master; their handlers read what was missed. */
  moved(slot: number, from: RedisSubscriber | undefined): void {
    const to = this.#deps.subscriberOf(slot);
    for (const [redisChannel, handler] of this.#bySlot.get(slot) ?? []) {
      from?.forget(redisChannel);
      to?.add(redisChannel, handler);
    }
  }

  #startBarrier(): void {
    const { barrier } = this.#deps;
    this.#add(barrier.redisChannel, barrier);
    barrier.start();
  }

  /** Stops the barrier when no channel without a slot is left. */
  #stopBarrier(): void {
    const { barrier } = this.#deps;
    const left = [...(this.#bySlot.get(this.#busSlot)?.keys() ?? [])];
    if (left.some((each) => !isSharded(each) && each !== barrier.redisChannel)) return;
    barrier.stop();
    this.#remove(barrier.redisChannel);
  }

  #add(redisChannel: string, handler: ChannelHandler): void {
    const slot = this.#slotOf(redisChannel);
    const inSlot = this.#bySlot.get(slot) ?? new Map<string, ChannelHandler>();
    if (inSlot.get(redisChannel) === handler) return;
    inSlot.set(redisChannel, handler);
    this.#bySlot.set(slot, inSlot);
    this.#deps.subscriberOf(slot)?.add(redisChannel, handler);
  }

  #remove(redisChannel: string): void {
    const slot = this.#slotOf(redisChannel);
    const inSlot = this.#bySlot.get(slot);
    if (!inSlot?.delete(redisChannel)) return;
    if (inSlot.size === 0) this.#bySlot.delete(slot);
    this.#deps.subscriberOf(slot)?.remove(redisChannel);
  }

  #slotOf(redisChannel: string): number {
    return isSharded(redisChannel) ? calculateSlot(redisChannel) : this.#busSlot;
  }
}
