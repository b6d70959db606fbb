import type { Socket } from 'node:net';
import { withDeadline } from '@leque/core';
import calculateSlot from 'cluster-key-slot';
import type { Redis } from 'ioredis';
import RedisParser from 'redis-parser';
import { redirectionOf } from '../connection/redis-errors.ts';
import { chunksOf } from '../lib/chunks-of.ts';
import type { PubSub, PubSubListener } from '../link/pub-sub.ts';

const COMMAND_TIMEOUT_MS = 3000;
/** Redis serves no other client while it reads a command. */
const CHANNELS_PER_COMMAND = 512;

type Verb = 'subscribe' | 'unsubscribe' | 'ssubscribe' | 'sunsubscribe' | 'ping';

/** A command that is not answered yet; Redis answers each of its channels on its own. */
interface Pending {
  readonly verb: Verb;
  readonly unanswered: Set<string>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * Uses SSUBSCRIBE, which only the master of a channel's slot accepts, and SUBSCRIBE for channels
 * without a hash tag, which belong to the whole Redis Cluster. Once ioredis has connected, this class
 * reads and writes the socket itself: ioredis takes the `sunsubscribe` that Redis sends when a slot
 * leaves for the answer to the last command, and never settles an SSUBSCRIBE that was answered with
 * MOVED (docs/adr/0014).
 */
export class ShardedPubSub implements PubSub {
  readonly #redis: Redis;
  readonly #pending: Pending[] = [];
  #listener: PubSubListener | undefined;

  constructor(redis: Redis) {
    this.#redis = redis;
    redis.on('ready', () => this.#takeOver(redis.stream as Socket));
    redis.on('close', () => this.#fail(new Error('connection closed')));
  }

  listen(listener: PubSubListener): void {
    this.#listener = listener;
  }

  split(redisChannels: readonly string[]): string[][] {
    const bySlot = Map.groupBy(redisChannels, (each) =>
      isSharded(each) ? calculateSlot(each) : -1,
    );
    return [...bySlot.values()].flatMap((each) => [...chunksOf(each, CHANNELS_PER_COMMAND)]);
  }

  async subscribe(redisChannels: readonly string[]): Promise<void> {
    await this.#send(isSharded(redisChannels[0]) ? 'ssubscribe' : 'subscribe', redisChannels);
  }

  async unsubscribe(redisChannels: readonly string[]): Promise<void> {
    try {
      await this.#send(isSharded(redisChannels[0]) ? 'sunsubscribe' : 'unsubscribe', redisChannels);
    } catch (error) {
      // A server that does not have the slot has no subscriptions in it either.
      if (redirectionOf(error) === undefined) throw error;
    }
  }

  ping(): Promise<void> {
    return this.#send('ping', []);
  }

  #send(verb: Verb, redisChannels: readonly string[]): Promise<void> {
    const { status, stream } = this.#redis;
    if (status !== 'ready') return Promise.reject(new Error('connection closed'));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const unanswered = new Set(redisChannels.length > 0 ? redisChannels : ['']);
    this.#pending.push({ verb, unanswered, resolve, reject });
    stream.write(encode([verb, ...redisChannels]));
    return withDeadline(promise, COMMAND_TIMEOUT_MS, verb.toUpperCase());
  }

  /** Takes the socket over when it is ready: all commands of the handshake are answered by then. */
  #takeOver(stream: Socket): void {
    const parser = new RedisParser({
      returnBuffers: true,
      returnReply: (reply: unknown) => this.#reply(reply),
      returnError: (error) => this.#refused(error),
      returnFatalError: () => this.#giveUp(),
    });
    stream.removeAllListeners('data');
    stream.on('data', (chunk: Buffer) => parser.execute(chunk));
  }

  #reply(reply: unknown): void {
    const [kind, channel, payload] = Array.isArray(reply) ? (reply as Buffer[]) : [];
    switch (kind?.toString()) {
      case 'smessage':
      case 'message':
        if (channel && payload) this.#listener?.message(channel.toString(), payload);
        break;
      case 'ssubscribe':
      case 'subscribe':
      case 'unsubscribe':
        this.#answered(kind?.toString() as Verb, String(channel));
        break;
      case 'sunsubscribe':
        this.#unsubscribed(String(channel));
        break;
      default:
        this.#answered('ping', ''); // as an array or not
    }
  }

  #answered(verb: Verb, redisChannel: string): void {
    const command = this.#pending[0];
    if (command?.verb !== verb || !command.unanswered.delete(redisChannel)) this.#giveUp();
    else if (command.unanswered.size === 0) {
      this.#pending.shift();
      command.resolve();
    }
  }

  /** Handles an answer, or the news that Redis has ended a subscription. */
  #unsubscribed(redisChannel: string): void {
    const command = this.#pending[0];
    if (command?.verb === 'sunsubscribe' && command.unanswered.has(redisChannel)) {
      this.#answered('sunsubscribe', redisChannel);
    } else {
      this.#listener?.dropped(redisChannel);
    }
  }

  #refused(error: Error): void {
    const command = this.#pending.shift();
    if (command !== undefined) command.reject(error);
    // The slot left while it was unsubscribed: the news was the answer already.
    else if (redirectionOf(error) === undefined) this.#giveUp();
  }

  /** Answers that belong to nothing: news may have been taken for one. A new connection is in step. */
  #giveUp(): void {
    this.#redis.disconnect(true);
  }

  #fail(error: Error): void {
    for (const { reject } of this.#pending.splice(0)) reject(error);
  }
}

/** Whether the channel belongs to a slot, and not to the whole Redis Cluster. */
export function isSharded(redisChannel = ''): boolean {
  return redisChannel.includes('{');
}

function encode(words: readonly string[]): string {
  const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  return `*${words.length}\r\n${parts.join('')}`;
}
