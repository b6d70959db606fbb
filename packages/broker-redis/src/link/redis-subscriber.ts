import type { Cancel } from '@leque/core';
import type { Redis } from 'ioredis';
import type { ConnectionDeps, RedisConnection } from '../connection/redis-connection.ts';
import { isReply, redirectionOf } from '../connection/redis-errors.ts';
import { isLackOfRights, lacksRight } from '../connection/redis-failures.ts';
import { waitForAll } from '../lib/wait-for-all.ts';
import type { PubSub } from './pub-sub.ts';

/** Handles the messages of one Redis channel. */
export interface ChannelHandler {
  /** Messages flow from here on. Called again after each reconnect: some may have been missed. */
  subscribed(): void;
  /** @param payload a view of the bytes that came over the network */
  message(payload: Buffer): void;
}

/** Redis serves no other client while it reads a command. */
const CHANNELS_AT_ONCE = 512;
const RETRY_MS = 500;

export interface SubscriberDeps extends ConnectionDeps {
  /** Called when another server has the slot of a channel; `error` is the redirection, if any. */
  readonly wrongServer: (error: Error | undefined) => void;
}

/**
 * Subscribes on the connection to one server. A channel stays subscribed, also after a reconnect,
 * until it is removed. The changes of one turn of the event loop are sent together.
 */
export class RedisSubscriber {
  readonly #connection: RedisConnection;
  readonly #redis: Redis;
  readonly #pubSub: PubSub;
  readonly #deps: SubscriberDeps;
  readonly #handlers = new Map<string, ChannelHandler>();
  readonly #joining = new Set<string>();
  readonly #leaving = new Set<string>();
  /** Channels that another server has now; the caller removes them when it knows which. */
  readonly #onWrongServer = new Set<string>();
  /** Whether channels are on the wrong server although they were asked for again. */
  #staysOnWrongServer = false;
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
        if (this.#handlers.has(redisChannel)) this.#wrongServer([redisChannel], undefined);
      },
    });
    redis.on('close', () => {
      this.#restoring = true;
    });
    redis.on('ready', () => this.#restore());
  }

  /** Why not every channel is subscribed; undefined when every channel is. */
  get problem(): string | undefined {
    if (this.refusal !== undefined) return this.refusal;
    if (this.#refusal !== undefined) return `channels cannot be subscribed: ${this.#refusal}`;
    if (this.#staysOnWrongServer) {
      return 'channels cannot be subscribed: their slots are on another server';
    }
    return this.#restoring ? 'channels are being subscribed again' : undefined;
  }

  /** Why waiting cannot help: the user may not subscribe; undefined when it can. */
  get refusal(): string | undefined {
    return this.#refusal !== undefined && isLackOfRights(this.#refusal)
      ? `channels cannot be subscribed: ${lacksRight(this.#refusal)}`
      : undefined;
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

  /** Removes a channel whose slot has left the server: Redis ends that subscription by itself. */
  forget(redisChannel: string): void {
    this.#handlers.delete(redisChannel);
    this.#joining.delete(redisChannel);
    if (this.#onWrongServer.delete(redisChannel)) this.#settleWrongServer();
  }

  /**
   * Resolves once everything that Redis sent in the channel before has been handled: Redis answers in
   * order. It fails on a connection whose channels are not all subscribed yet.
   */
  async catchUp(redisChannel: string): Promise<void> {
    await this.#pubSub.ping();
    if (this.problem !== undefined) throw new Error(this.problem);
    if (this.#onWrongServer.has(redisChannel)) {
      throw new Error('another server has the slot of the channel');
    }
  }

  close(): void {
    this.#cancelRetry?.();
    this.#cancelReturn?.();
    this.#handlers.clear();
    this.#joining.clear();
    this.#leaving.clear();
    this.#onWrongServer.clear();
  }

  #restore(): void {
    this.#leaving.clear();
    this.#onWrongServer.clear();
    this.#settleWrongServer();
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
      this.#settleWrongServer();
    } catch (error) {
      this.#retryLater(error);
    } finally {
      this.#working = false;
    }
  }

  async #leave(redisChannels: string[]): Promise<void> {
    // There is nothing to retry: a new connection begins without subscriptions.
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
      if (redirectionOf(error)) return this.#wrongServer(wanted, error as Error);
      for (const each of wanted) this.#joining.add(each);
      throw error;
    }
    for (const each of redisChannels) this.#handlers.get(each)?.subscribed();
  }

  /** Retries on a connection that is not broken; a broken one restores everything when it is back. */
  #retryLater(error: unknown): void {
    if (!isReply(error)) {
      // A command without an answer for seconds will not be answered any more.
      this.#connection.rebuild(String(error));
      return;
    }
    const isNew = this.#refusal !== error.message;
    this.#refusal = error.message;
    this.#reportRefusal(error, isNew);
    this.#workLater();
  }

  /** A lack of rights is reported with every attempt, because it lasts until it is not repeated. */
  #reportRefusal(error: Error, isNew: boolean): void {
    const { telemetry } = this.#deps;
    const detail = this.refusal;
    if (detail !== undefined) telemetry.report({ type: 'broker_refused', detail });
    else if (isNew) telemetry.report({ type: 'failure', where: 'subscribe', error });
  }

  #wrongServer(redisChannels: readonly string[], error: Error | undefined): void {
    for (const each of redisChannels) this.#onWrongServer.add(each);
    this.#deps.wrongServer(error);
    this.#cancelReturn ??= this.#deps.clock.after(RETRY_MS, () => this.#askAgain());
  }

  /** Asks again for channels on the wrong server: their slots may have come back. */
  #askAgain(): void {
    this.#cancelReturn = undefined;
    if (this.#onWrongServer.size === 0) return;
    this.#staysOnWrongServer = true;
    for (const each of this.#onWrongServer) this.#joining.add(each);
    this.#onWrongServer.clear();
    this.#workSoon();
  }

  #settleWrongServer(): void {
    if (this.#onWrongServer.size === 0) this.#staysOnWrongServer = false;
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
