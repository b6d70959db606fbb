import type { Redis } from 'ioredis';

/** How a connection subscribes. Its subscriptions are gone when the connection breaks. */
export interface PubSub {
  /** Divides channels into lists that one command can subscribe. */
  split(redisChannels: readonly string[]): string[][];
  /** @param redisChannels one of the lists of `split` */
  subscribe(redisChannels: readonly string[]): Promise<unknown>;
  /** @param redisChannels one of the lists of `split` */
  unsubscribe(redisChannels: readonly string[]): Promise<unknown>;
  /** Resolves after everything that Redis sent before has been handled. */
  ping(): Promise<unknown>;
  /** Sets the listener; called once. */
  listen(listener: PubSubListener): void;
}

export interface PubSubListener {
  /** @param payload a view of the bytes that came over the network */
  message(redisChannel: string, payload: Buffer): void;
  /** Redis has ended the subscription because another server has the channel now. */
  dropped(redisChannel: string): void;
}

/** Uses SUBSCRIBE, which any server accepts for any channel. */
export class PlainPubSub implements PubSub {
  readonly #redis: Redis;

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  split(redisChannels: readonly string[]): string[][] {
    return redisChannels.length === 0 ? [] : [[...redisChannels]];
  }

  subscribe(redisChannels: readonly string[]): Promise<unknown> {
    return this.#redis.subscribe(...redisChannels);
  }

  unsubscribe(redisChannels: readonly string[]): Promise<unknown> {
    return this.#redis.unsubscribe(...redisChannels);
  }

  ping(): Promise<unknown> {
    return this.#redis.ping();
  }

  listen({ message }: PubSubListener): void {
    this.#redis.on('messageBuffer', (channel: Buffer, payload: Buffer) => {
      message(channel.toString(), payload);
    });
  }
}
