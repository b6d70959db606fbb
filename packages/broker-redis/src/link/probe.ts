import { randomUUID } from 'node:crypto';
import { type Cancel, type Clock, every, withDeadline } from '@leque/core';
import type { RedisConnection } from '../connection/redis-connection.ts';
import { isReply, redirectionOf } from '../connection/redis-errors.ts';
import { isLackOfRights, lacksRight } from '../connection/redis-failures.ts';
import { COMMAND_DEADLINE_MS } from '../lib/deadline.ts';
import type { ProbeCounts } from './probe-counts.ts';
import type { ChannelHandler, RedisSubscriber } from './redis-subscriber.ts';

export interface ProbeDeps {
  /** The Redis channel of this node; its name changes when its slot leaves the server. */
  readonly redisChannel: () => string;
  /** Publishes by the command of publications. */
  readonly publish: (redisChannel: string, payload: string) => Promise<unknown>;
  readonly commands: RedisConnection;
  readonly subscriber: RedisSubscriber;
  /** The connection of `subscriber`; it is rebuilt when the probe does not arrive. */
  readonly subscribing: RedisConnection;
  readonly counts: ProbeCounts;
  readonly clock: Clock;
}

const PERIOD_MS = 1000;
/** Missed probes until the connection is rebuilt; one that is only slow delivers one of two. */
const MISSES = 2;
/** Probes in a row that Redis does not answer until nothing is proven; it may be busy for one. */
const UNANSWERED = 2;

/**
 * Proves that this process receives what is published: it publishes to itself once a second (HON). A
 * subscriber connection that is dead or has lost its subscriptions is as silent as one in whose
 * channels nothing happens. After trouble with either connection only a probe that was published
 * later, and has come through, proves that messages arrive again.
 */
export class Probe implements ChannelHandler {
  readonly #deps: ProbeDeps;
  /** Begins the payload of each probe: another process may have been given the same name. */
  readonly #sender = randomUUID();
  #stop: Cancel | undefined;
  #redisChannel = '';
  #refusal: string | undefined;
  #awaited = false;
  #misses = 0;
  #unanswered = 0;
  /** The number of the newest probe. */
  #number = 0;
  /** The lowest number that proves something; those before were published before the trouble. */
  #provesFrom = 1;
  #isProven = false;
  /** When the newest probe was published, on the monotonic clock. */
  #sentAt = 0;

  constructor(deps: ProbeDeps) {
    this.#deps = deps;
    const { commands, subscribing } = deps;
    for (const { redis } of [commands, subscribing]) redis.on('close', () => this.#doubt());
    commands.onDoubt(() => this.#doubt());
    commands.redis.on('ready', () => this.#publishNow());
  }

  /** Why no probe can be published, or that none has come through; undefined when all is well. */
  get problem(): string | undefined {
    if (this.#refusal !== undefined || this.#isProven) return this.refusal ?? this.#refusal;
    return 'probe: no published message has come through since the connections were in trouble';
  }

  /** Why waiting cannot help: the user may not publish the probe; undefined when it can. */
  get refusal(): string | undefined {
    const reply = this.#refusal?.replace('probe: ', '');
    return reply !== undefined && isLackOfRights(reply) ? lacksRight(reply) : undefined;
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
    this.#notMissing();
    this.#publishNow();
  }

  message(payload: Buffer): void {
    const [sender, number] = payload.toString('latin1').split(' ');
    if (sender !== this.#sender) return;
    this.#arrived(Number(number));
  }

  /** Returns true when the channel has changed: nothing was published there yet. */
  #followChannel(): boolean {
    const { subscriber, redisChannel } = this.#deps;
    const [before, now] = [this.#redisChannel, redisChannel()];
    if (now === before) return false;
    subscriber.remove(before);
    subscriber.add(now, this);
    this.#redisChannel = now;
    this.#notMissing();
    return true;
  }

  #arrived(number: number): void {
    const { counts, clock } = this.#deps;
    if (this.#awaited && number === this.#number) {
      counts.seconds.observe((clock.monotonic() - this.#sentAt) / 1000);
    }
    if (number >= this.#provesFrom) this.#isProven = true;
    this.#notMissing();
  }

  #notMissing(): void {
    this.#awaited = false;
    this.#misses = 0;
  }

  #doubt(): void {
    this.#provesFrom = this.#number + 1;
    this.#isProven = false;
  }

  async #next(): Promise<void> {
    const { subscriber, subscribing, counts } = this.#deps;
    if (this.#stop === undefined || this.#followChannel()) return;
    // Without its subscription the probe cannot arrive; the subscriber reports that problem.
    if (subscriber.problem !== undefined) return this.#notMissing();
    if (this.#isOnItsWay) return;
    if (this.#awaited) {
      this.#misses += 1;
      counts.missed += 1;
    }
    if (this.#misses < MISSES) return await this.#publish();
    this.#notMissing();
    subscribing.rebuild('published messages do not arrive');
  }

  /** Whether the newest probe was published too recently to be judged. */
  get #isOnItsWay(): boolean {
    return this.#awaited && this.#deps.clock.monotonic() - this.#sentAt < PERIOD_MS / 2;
  }

  #publishNow(): void {
    if (this.#stop !== undefined) void this.#publish();
  }

  /** A probe that may not have been published proves nothing against the subscriber connection. */
  async #publish(): Promise<void> {
    const { publish, clock } = this.#deps;
    try {
      this.#number += 1;
      this.#awaited = true;
      this.#sentAt = clock.monotonic();
      const publishing = publish(this.#redisChannel, `${this.#sender} ${this.#number}`);
      await withDeadline(publishing, COMMAND_DEADLINE_MS, 'leque_probe');
      this.#refusal = undefined;
      this.#unanswered = 0;
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    this.#awaited = false;
    this.#unanswered = isReply(error) ? 0 : this.#unanswered + 1;
    if (this.#unanswered >= UNANSWERED) this.#doubt();
    const refused = isReply(error) && !redirectionOf(error);
    this.#refusal = refused ? `probe: ${error.message}` : undefined;
  }
}
