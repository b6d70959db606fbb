import type { RedisSubscriber } from './redis-subscriber.ts';

/** The connections of this process, as far as the drivers care. */
export interface RedisLink {
  readonly subscriber: RedisSubscriber;
  /** Connects the subscriber too, and proves from then on that it receives; never fails. */
  receive(): Promise<void>;
  /** Empty when Redis answers and, after `receive`, every channel is subscribed. */
  problems(): string[];
}
