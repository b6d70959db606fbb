import type { Socket } from 'node:net';
import { type Cancel, type Clock, every, withDeadline } from '@leque/core';
import type { Redis } from 'ioredis';
import { COMMAND_DEADLINE_MS } from '../lib/deadline.ts';
import { isReply } from './redis-errors.ts';

const PING_MS = 1000;
/** One slow command of another client must not make every node reconnect. */
const PINGS_UNTIL_DOUBT = 2;
const PINGS_UNTIL_RECONNECT = 3;

export interface LivenessDeps {
  readonly clock: Clock;
  /** Called with the reason before a connection is given up for a new one. */
  readonly onReconnect?: (reason: string) => void;
  /** Called when Redis has not answered for a while, which it may do again. */
  readonly onDoubt?: () => void;
}

/**
 * Replaces a connection that is open and dead, and one that leads to a server of the past. ioredis
 * reconnects by itself only when the other side ends the connection.
 */
export class Liveness {
  readonly #redis: Redis;
  readonly #deps: LivenessDeps;
  #stopPinging: Cancel | undefined;
  #missedPings = 0;
  #bytesRead = 0;
  /** Why the connection is replaced as soon as it is ready. */
  #outdated: string | undefined;

  constructor(redis: Redis, deps: LivenessDeps) {
    this.#redis = redis;
    this.#deps = deps;
    redis.on('ready', () => this.#ready());
    redis.on('close', () => this.#closed());
  }

  /** Whether Redis has not answered for a while. */
  get isDoubtful(): boolean {
    return this.#missedPings >= PINGS_UNTIL_DOUBT;
  }

  /** Whether the connection is about to be replaced although it is ready. */
  get isOutdated(): boolean {
    return this.#outdated !== undefined;
  }

  /** Proves once a second that Redis answers. */
  startPinging(): void {
    this.#stopPinging ??= every(this.#deps.clock, PING_MS, () => void this.#check());
  }

  stop(): void {
    this.#stopPinging?.();
  }

  /** Replaces a connection that is ready. */
  replace(reason: string): void {
    if (this.#redis.status === 'ready') this.#reconnect(reason);
  }

  /** Replaces also a connection that is being made: it may lead where the endpoint led before. */
  leave(reason: string): void {
    const { status } = this.#redis;
    if (status === 'connecting' || status === 'connect') this.#outdated = reason;
    else this.replace(reason);
  }

  #ready(): void {
    this.#missedPings = 0;
    if (this.#outdated !== undefined) this.#reconnect(this.#outdated);
  }

  #closed(): void {
    this.#missedPings = 0;
    this.#bytesRead = 0;
    this.#outdated = undefined;
  }

  async #check(): Promise<void> {
    const { status } = this.#redis;
    if (status !== 'ready' && status !== 'connect') return;
    const isAlive = status === 'ready' ? await this.#answers() : this.#hasReceived();
    this.#missedPings = isAlive ? 0 : this.#missedPings + 1;
    if (this.#missedPings === PINGS_UNTIL_DOUBT) this.#deps.onDoubt?.();
    if (this.#missedPings >= PINGS_UNTIL_RECONNECT) this.#reconnect('Redis does not answer');
  }

  async #answers(): Promise<boolean> {
    try {
      await withDeadline(this.#redis.ping(), COMMAND_DEADLINE_MS, 'PING');
      return true;
    } catch (error) {
      return isReply(error); // a refusal is an answer
    }
  }

  /** ioredis is greeting the server: one that is still loading its data answers, too. */
  #hasReceived(): boolean {
    const { bytesRead } = this.#redis.stream as Socket;
    const before = this.#bytesRead;
    this.#bytesRead = bytesRead;
    return bytesRead !== before;
  }

  #reconnect(reason: string): void {
    this.#deps.onReconnect?.(reason);
    this.#redis.disconnect(true);
  }
}
