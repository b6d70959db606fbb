import type { Cancel } from '@leque/core';
import type { ConnectionDeps } from '../connection/redis-connection.ts';
import type { Command } from '../connection/send-together.ts';
import type { LibraryOptions } from '../functions/function-library.ts';
import type { ProbeCounts } from './probe-counts.ts';
import type { ChannelHandler } from './redis-subscriber.ts';

export interface LinkDeps extends ConnectionDeps {
  readonly prefix: string;
  /** Names this process in the Redis channels of its probes. */
  readonly nodeId: string;
  readonly limits: LibraryOptions;
  /** Counts the outcomes of the probes. */
  readonly probes: ProbeCounts;
}

/**
 * Reaches Redis, whether it is one server or the masters of a Redis Cluster. Every command is answered
 * within `COMMAND_DEADLINE_MS`, or fails.
 */
export interface RedisLink {
  readonly subscriptions: Subscriptions;
  /** Runs a command on the server that has `key`. */
  run<T>(key: string, command: Command<T>): Promise<T>;
  /** Calls one of Leque's functions on the server that has `key`. */
  call(name: string, key: string, args: readonly (string | number)[]): Promise<unknown>;
  /** Groups items by the server that has their keys now, in their order. */
  groupByServer<T>(items: readonly T[], keyOf: (item: T) => string): readonly (readonly T[])[];
  /** Sends an empty message to the subscribers of `redisChannel`. */
  signal(redisChannel: string): Promise<unknown>;
  /** Waits a few seconds at most for Redis; never fails. */
  connect(): Promise<void>;
  /** Also connects for receiving, and proves from then on that messages arrive; never fails. */
  receive(): Promise<void>;
  /** Empty when Redis answers and, after `receive`, every channel is subscribed. */
  problems(): string[];
  /** Why waiting for Redis cannot help, in one sentence; undefined when it can. */
  refusal(): string | undefined;
  /** Calls `listener` on every new connection for commands. */
  onConnected(listener: () => void): Cancel;
  close(): void;
}

/** Keeps Redis channels subscribed on whichever server has them, until they are removed. */
export interface Subscriptions {
  add(redisChannel: string, handler: ChannelHandler): void;
  remove(redisChannel: string): void;
  /** Resolves once everything that Redis sent in the channel before has been handled. */
  catchUp(redisChannel: string): Promise<void>;
}
