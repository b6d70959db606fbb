import type { Redis } from 'ioredis';

/** How a connection subscribes. What it has subscribed is gone when the connection breaks. */
export interface PubSub {
  /** Channels that one command can subscribe; each comes back in one of the lists. */
  split(redisChannels: readonly string[]): string[][];
  /** @param redisChannels one of the lists of `split` */
  subscribe(redisChannels: readonly string[]): Promise<unknown>;
  /** @param redisChannels one of the lists of `split` */
  unsubscribe(redisChannels: readonly string[]): Promise<unknown>;
  /** Answered after everything that was sent before. */
  ping(): Promise<unknown>;
  /** To be called once. */
  listen(listener: PubSubListener): void;
}

export interface PubSubListener {
  /** @param payload a view of what came over the network */
  message(redisChannel: string, payload: Buffer): void;
  /** Redis sends nothing of this channel here any more, as it is another server's now. */
  dropped(redisChannel: string): void;
}

/** SUBSCRIBE, which any server takes for any channel. */
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
