import type { Cancel } from '@leque/core';
import type { Redis } from 'ioredis';
import type { ConnectionPorts, RedisConnection } from './redis-connection.ts';
import { isReply } from './redis-errors.ts';

/** Who wants the messages of one Redis channel. */
export interface ChannelHandler {
  /** Messages flow from here on. Again after each reconnect, when some may have been missed. */
  subscribed(): void;
  /** @param payload a view of what came over the network */
  message(payload: Buffer): void;
}

/** Redis reads a command as a whole before it does anything else. */
const CHANNELS_PER_COMMAND = 512;
const RETRY_MS = 500;

/**
 * The one subscribing connection of a process. What was added stays subscribed, over reconnects
 * too, until it is removed; what one turn of the event loop asks for goes out together.
 */
export class RedisSubscriber {
  readonly #connection: RedisConnection;
  readonly #redis: Redis;
  readonly #ports: ConnectionPorts;
  readonly #handlers = new Map<string, ChannelHandler>();
  readonly #joining = new Set<string>();
  readonly #leaving = new Set<string>();
  #working = false;
  #restoring = true;
  #refusal: string | undefined;
  #cancelRetry: Cancel | undefined;

  constructor(connection: RedisConnection, ports: ConnectionPorts) {
    const { redis } = connection;
    this.#connection = connection;
    this.#redis = redis;
    this.#ports = ports;
    redis.on('messageBuffer', (channel: Buffer, payload: Buffer) => {
      this.#handlers.get(channel.toString())?.message(payload);
    });
    redis.on('close', () => {
      this.#restoring = true;
    });
    redis.on('ready', () => this.#restore());
  }

  /** Why not every channel is subscribed: Redis refuses some, or the connection was lost. */
  get problem(): string | undefined {
    if (this.#refusal !== undefined) return `channels cannot be subscribed: ${this.#refusal}`;
    return this.#restoring ? 'channels are being subscribed again' : undefined;
  }

  add(redisChannel: string, handler: ChannelHandler): void {
    this.#handlers.set(redisChannel, handler);
    this.#leaving.delete(redisChannel);
    this.#joining.add(redisChannel);
    this.#workSoon();
  }

  remove(redisChannel: string): void {
    if (!this.#handlers.delete(redisChannel)) return;
    this.#joining.delete(redisChannel);
    this.#leaving.add(redisChannel);
    this.#workSoon();
  }

  /**
   * Settles once everything that Redis sent before has been handled: it answers in order. On a new
   * connection nothing was sent before its channels are subscribed.
   */
  async catchUp(): Promise<void> {
    await this.#redis.ping();
    if (this.problem !== undefined) throw new Error(this.problem);
  }

  close(): void {
    this.#cancelRetry?.();
    this.#handlers.clear();
    this.#joining.clear();
    this.#leaving.clear();
  }

  #restore(): void {
    this.#leaving.clear();
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
    } catch (error) {
      this.#retryLater(error);
    } finally {
      this.#working = false;
    }
  }

  async #leave(redisChannels: string[]): Promise<void> {
    // Nothing to retry: on a new connection nothing is subscribed that is not wanted.
    if (redisChannels.length > 0) await this.#redis.unsubscribe(...redisChannels);
  }

  async #join(redisChannels: string[]): Promise<void> {
    if (redisChannels.length === 0) return;
    try {
      await this.#redis.subscribe(...redisChannels);
    } catch (error) {
      for (const each of redisChannels) if (this.#handlers.has(each)) this.#joining.add(each);
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
      this.#ports.telemetry.report({ type: 'failure', where: 'subscribe', error });
    }
    this.#refusal = error.message;
    this.#cancelRetry = this.#ports.clock.after(RETRY_MS, () => this.#workSoon());
  }
}

function take(channels: Set<string>): string[] {
  const taken: string[] = [];
  for (const channel of channels) {
    if (taken.length === CHANNELS_PER_COMMAND) break;
    taken.push(channel);
    channels.delete(channel);
  }
  return taken;
}
