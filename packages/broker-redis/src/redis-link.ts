import type { RedisSubscriber } from './redis-subscriber.ts';

/** The connections of this process, as far as the drivers care. */
export interface RedisLink {
  readonly subscriber: RedisSubscriber;
  /** Waits a moment for Redis; never fails. */
  connect(): Promise<void>;
  /** Empty when Redis answers and every channel is subscribed. */
  problems(): string[];
}
