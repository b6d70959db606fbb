import { type Cancel, type Clock, every, withDeadline } from '@leque/core';
import type { Redis } from 'ioredis';
import type { RedisConnection } from '../connection/redis-connection.ts';
import { isReply, redirectionOf } from '../connection/redis-errors.ts';
import { COMMAND_DEADLINE_MS } from '../lib/deadline.ts';
import type { ProbeCounts } from './probe-counts.ts';
import type { ChannelHandler, RedisSubscriber } from './redis-subscriber.ts';

export interface ProbeDeps {
  /** The Redis channel of this node; its name changes when its slot leaves the server. */
  readonly redisChannel: () => string;
  readonly publish: (redis: Redis, redisChannel: string) => Promise<unknown>;
  readonly commands: Redis;
  readonly subscriber: RedisSubscriber;
  /** The connection of `subscriber`; it is rebuilt when the probe does not arrive. */
  readonly subscribing: RedisConnection;
  readonly counts: ProbeCounts;
  readonly clock: Clock;
}

const PERIOD_MS = 1000;
/** Missed probes until the connection is rebuilt; one that is only slow delivers one of two. */
const MISSES = 2;

/**
 * Proves that this process receives what is published: it publishes to itself once a second (HON). A
 * subscriber connection that is dead or has lost its subscriptions is as silent as one in whose
 * channels nothing happens.
 */
export class Probe implements ChannelHandler {
  readonly #deps: ProbeDeps;
  #stop: Cancel | undefined;
  #redisChannel = '';
  #refusal: string | undefined;
  #awaited = false;
  #misses = 0;
  /** When the awaited probe was published, on the monotonic clock. */
  #sentAt = 0;

  constructor(deps: ProbeDeps) {
    this.#deps = deps;
  }

  /** Why no probe can be published. */
  get problem(): string | undefined {
    return this.#refusal;
  }

  start(): void {
    const { clock } = this.#deps;
    this.#followChannel();
    // Probes that arrived while this process was busy are handled before the next is judged.
    this.#stop = every(clock, PERIOD_MS, () => clock.defer(() => void this.#next()));
  }

  stop(): void {
    this.#stop?.();
    this.#stop = undefined;
  }

  /** Changes to another channel when the name has changed. */
  follow(): void {
    if (this.#stop !== undefined) this.#followChannel();
  }

  subscribed(): void {
    this.#arrived();
  }

  message(): void {
    const { counts, clock } = this.#deps;
    if (this.#awaited) counts.seconds.observe((clock.monotonic() - this.#sentAt) / 1000);
    this.#arrived();
  }

  /** Returns true when the channel has changed: nothing was published there yet. */
  #followChannel(): boolean {
    const { subscriber, redisChannel } = this.#deps;
    const [before, now] = [this.#redisChannel, redisChannel()];
    if (now === before) return false;
    subscriber.remove(before);
    subscriber.add(now, this);
    this.#redisChannel = now;
    this.#arrived();
    return true;
  }

  #arrived(): void {
    this.#awaited = false;
    this.#misses = 0;
  }

  async #next(): Promise<void> {
    const { subscriber, subscribing, counts } = this.#deps;
    if (this.#stop === undefined || this.#followChannel()) return;
    // Without its subscription the probe cannot arrive; the subscriber reports that problem.
    if (subscriber.problem !== undefined) return this.#arrived();
    if (this.#awaited) {
      this.#misses += 1;
      counts.missed += 1;
    }
    if (this.#misses < MISSES) return await this.#publish();
    this.#arrived();
    subscribing.rebuild('published messages do not arrive');
  }

  /** A probe that may not have been published proves nothing against the subscriber connection. */
  async #publish(): Promise<void> {
    const { commands, publish, clock } = this.#deps;
    try {
      this.#awaited = true;
      this.#sentAt = clock.monotonic();
      const publishing = publish(commands, this.#redisChannel);
      await withDeadline(publishing, COMMAND_DEADLINE_MS, 'PUBLISH');
      this.#refusal = undefined;
    } catch (error) {
      this.#awaited = false;
      const refused = isReply(error) && !redirectionOf(error);
      this.#refusal = refused ? `probe: ${error.message}` : undefined;
    }
  }
}
