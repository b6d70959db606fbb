import type { Cancel, HistoryOptions } from '@leque/core';
import type { ConnectionDeps } from '../connection/redis-connection.ts';
import type { Command } from '../connection/send-together.ts';
import type { ProbeCounts } from './probe-counts.ts';
import type { ChannelHandler } from './redis-subscriber.ts';

export interface LinkDeps extends ConnectionDeps {
  readonly prefix: string;
  /** Names this process in the Redis channels by which it proves that it receives. */
  readonly nodeId: string;
  readonly limits: HistoryOptions;
  /** What the probes of the process show is counted here. */
  readonly probes: ProbeCounts;
}

/**
 * What this process has of Redis, be it one server or the masters of a Cluster. Every answer comes
 * within `COMMAND_DEADLINE_MS`, or is a failure.
 */
export interface RedisLink {
  readonly subscriptions: Subscriptions;
  /** Runs a command on the server that has `key`. */
  run<T>(key: string, command: Command<T>): Promise<T>;
  /** Calls one of Leque's functions there. */
  call(name: string, key: string, args: readonly (string | number)[]): Promise<unknown>;
  /** Sends an empty message to whoever has subscribed `redisChannel`. */
  signal(redisChannel: string): Promise<unknown>;
  /** Waits a moment for Redis; never fails. */
  connect(): Promise<void>;
  /** Connects what receives too, and proves from then on that it does; never fails. */
  receive(): Promise<void>;
  /** Empty when Redis answers and, after `receive`, every channel is subscribed. */
  problems(): string[];
  /** Calls whenever there is a new connection. */
  onConnected(listener: () => void): Cancel;
  close(): void;
}

/** Redis channels that stay subscribed, wherever they are, until they are removed. */
export interface Subscriptions {
  add(redisChannel: string, handler: ChannelHandler): void;
  remove(redisChannel: string): void;
  /** Settles once everything that Redis sent in the channel before has been handled. */
  catchUp(redisChannel: string): Promise<void>;
}
