import type { Cancel } from '@leque/core';
import type { Redis } from 'ioredis';
import type { ConnectionDeps, RedisConnection } from '../connection/redis-connection.ts';
import { isReply, redirectionOf } from '../connection/redis-errors.ts';
import { waitForAll } from '../lib/wait-for-all.ts';
import type { PubSub } from './pub-sub.ts';

/** Who wants the messages of one Redis channel. */
export interface ChannelHandler {
  /** Messages flow from here on. Again after each reconnect, when some may have been missed. */
  subscribed(): void;
  /** @param payload a view of what came over the network */
  message(payload: Buffer): void;
}

/** Redis reads a command as a whole before it does anything else. */
const CHANNELS_AT_ONCE = 512;
const RETRY_MS = 500;

export interface SubscriberDeps extends ConnectionDeps {
  /** Another server may have what was asked of this one: says why. */
  readonly misplaced: (error: Error | undefined) => void;
}

/**
 * The subscribing connection to one server. What was added stays subscribed, over reconnects
 * too, until it is removed; what one turn of the event loop asks for goes out together.
 */
export class RedisSubscriber {
  readonly #connection: RedisConnection;
  readonly #redis: Redis;
  readonly #pubSub: PubSub;
  readonly #deps: SubscriberDeps;
  readonly #handlers = new Map<string, ChannelHandler>();
  readonly #joining = new Set<string>();
  readonly #leaving = new Set<string>();
  /** Another server has them now: whoever knows which takes them away from here. */
  readonly #misplaced = new Set<string>();
  #isMisplacedStill = false;
  #working = false;
  #restoring = true;
  #refusal: string | undefined;
  #cancelRetry: Cancel | undefined;
  #cancelReturn: Cancel | undefined;

  constructor(connection: RedisConnection, pubSub: PubSub, deps: SubscriberDeps) {
    const { redis } = connection;
    this.#connection = connection;
    this.#redis = redis;
    this.#pubSub = pubSub;
    this.#deps = deps;
    pubSub.listen({
      message: (redisChannel, payload) => this.#handlers.get(redisChannel)?.message(payload),
      dropped: (redisChannel) => {
        if (this.#handlers.has(redisChannel)) this.#misplace([redisChannel], undefined);
      },
    });
    redis.on('close', () => {
      this.#restoring = true;
    });
    redis.on('ready', () => this.#restore());
  }

  /** Why not every channel is subscribed: Redis refuses some, or the connection was lost. */
  get problem(): string | undefined {
    if (this.#refusal !== undefined) return `channels cannot be subscribed: ${this.#refusal}`;
    if (this.#isMisplacedStill) return 'channels cannot be subscribed: their slots are elsewhere';
    return this.#restoring ? 'channels are being subscribed again' : undefined;
  }

  add(redisChannel: string, handler: ChannelHandler): void {
    this.#handlers.set(redisChannel, handler);
    this.#leaving.delete(redisChannel);
    this.#joining.add(redisChannel);
    this.#workSoon();
  }

  remove(redisChannel: string): void {
    if (!this.#handlers.has(redisChannel)) return;
    this.forget(redisChannel);
    this.#leaving.add(redisChannel);
    this.#workSoon();
  }

  /** For a channel whose slot has left the server: Redis ends the subscription by itself. */
  forget(redisChannel: string): void {
    this.#handlers.delete(redisChannel);
    this.#joining.delete(redisChannel);
    if (this.#misplaced.delete(redisChannel)) this.#settleMisplaced();
  }

  /**
   * Settles once everything that Redis sent in the channel before has been handled: it answers in
   * order. On a new connection nothing was sent before its channels are subscribed.
   */
  async catchUp(redisChannel: string): Promise<void> {
    await this.#pubSub.ping();
    if (this.problem !== undefined) throw new Error(this.problem);
    if (this.#misplaced.has(redisChannel)) throw new Error('the slot of the channel is elsewhere');
  }

  close(): void {
    this.#cancelRetry?.();
    this.#cancelReturn?.();
    this.#handlers.clear();
    this.#joining.clear();
    this.#leaving.clear();
    this.#misplaced.clear();
  }

  #restore(): void {
    this.#leaving.clear();
    this.#misplaced.clear();
    this.#settleMisplaced();
    for (const redisChannel of this.#handlers.keys()) this.#joining.add(redisChannel);
    this.#workSoon();
  }

  #workSoon(): void {
    if (this.#working || this.#redis.status !== 'ready') return;
    this.#working = true;
    queueMicrotask(() => void this.#work());
  }

  async #work(): Promise<void> {
    this.#cancelRetry?.();
    try {
      while (this.#redis.status === 'ready' && this.#joining.size + this.#leaving.size > 0) {
        await this.#leave(take(this.#leaving));
        await this.#join(take(this.#joining));
      }
      if (this.#redis.status !== 'ready') return;
      this.#restoring = false;
      this.#refusal = undefined;
      this.#settleMisplaced();
    } catch (error) {
      this.#retryLater(error);
    } finally {
      this.#working = false;
    }
  }

  async #leave(redisChannels: string[]): Promise<void> {
    // Nothing to retry: on a new connection nothing is subscribed that is not wanted.
    await waitForAll(
      this.#pubSub.split(redisChannels).map((each) => this.#pubSub.unsubscribe(each)),
    );
  }

  async #join(redisChannels: string[]): Promise<void> {
    await waitForAll(this.#pubSub.split(redisChannels).map((each) => this.#joinTogether(each)));
  }

  async #joinTogether(redisChannels: string[]): Promise<void> {
    try {
      await this.#pubSub.subscribe(redisChannels);
    } catch (error) {
      const wanted = redisChannels.filter((each) => this.#handlers.has(each));
      if (redirectionOf(error)) return this.#misplace(wanted, error as Error);
      for (const each of wanted) this.#joining.add(each);
      throw error;
    }
    for (const each of redisChannels) this.#handlers.get(each)?.subscribed();
  }

  /** A broken connection restores everything when it is back; this is for one that is not. */
  #retryLater(error: unknown): void {
    if (!isReply(error)) {
      // What is not answered in seconds is not answered any more.
      this.#connection.rebuild(String(error));
      return;
    }
    if (this.#refusal !== error.message) {
      this.#deps.telemetry.report({ type: 'failure', where: 'subscribe', error });
    }
    this.#refusal = error.message;
    this.#workLater();
  }

  #misplace(redisChannels: readonly string[], error: Error | undefined): void {
    for (const each of redisChannels) this.#misplaced.add(each);
    this.#deps.misplaced(error);
    this.#cancelReturn ??= this.#deps.clock.after(RETRY_MS, () => this.#askAgain());
  }

  /** They may have come back, or nobody knows where they are. */
  #askAgain(): void {
    this.#cancelReturn = undefined;
    if (this.#misplaced.size === 0) return;
    this.#isMisplacedStill = true;
    for (const each of this.#misplaced) this.#joining.add(each);
    this.#misplaced.clear();
    this.#workSoon();
  }

  #settleMisplaced(): void {
    if (this.#misplaced.size === 0) this.#isMisplacedStill = false;
  }

  #workLater(): void {
    this.#cancelRetry?.();
    this.#cancelRetry = this.#deps.clock.after(RETRY_MS, () => this.#workSoon());
  }
}

function take(channels: Set<string>): string[] {
  const taken: string[] = [];
  for (const channel of channels) {
    if (taken.length === CHANNELS_AT_ONCE) break;
    taken.push(channel);
    channels.delete(channel);
  }
  return taken;
}
