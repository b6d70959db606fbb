import { type Cancel, type Clock, every, type Telemetry } from '@leque/core';
import type { Redis, RedisOptions } from 'ioredis';
import { COMMAND_DEADLINE_MS, withDeadline } from '../lib/deadline.ts';
import type { Endpoint } from './redis-address.ts';

/** For what has no shorter deadline of its own: the handshake, and subscribing. */
const COMMAND_TIMEOUT_MS = 3000;
export const CONNECT_TIMEOUT_MS = 2000;
const START_TIMEOUT_MS = 3000;
const MAX_RETRY_MS = 1000;
export const PING_MS = 1000;
/** One slow command of somebody else must not make every node reconnect. */
const PINGS_UNTIL_DOUBT = 2;
export const PINGS_UNTIL_RECONNECT = 3;

export type ConnectionRole = 'commands' | 'subscriber';

export interface ConnectionOptions {
  readonly endpoint: Endpoint;
  readonly role: ConnectionRole;
  /** Which server it is, where there are several; else empty. */
  readonly server: string;
}

export interface ConnectionDeps {
  readonly telemetry: Telemetry;
  readonly clock: Clock;
}

/** One connection to Redis that comes back by itself, and knows whether Redis answers on it. */
export class RedisConnection {
  readonly redis: Redis;
  readonly #name: string;
  readonly #telemetry: Telemetry;
  /** The subscriber connection is proved by a probe, see probe.ts. */
  readonly #stopPinging: Cancel | undefined;
  #missedPings = 0;
  #connected: Promise<void> | undefined;
  #wasReady: boolean | undefined;
  #lastError = 'connection closed';
  #closed = false;
  /** Why it is to be made anew once it is there. */
  #outdated: string | undefined;

  constructor(target: ConnectionOptions, { telemetry, clock }: ConnectionDeps) {
    const { endpoint, role, server } = target;
    this.#name = server === '' ? `${role} connection` : `${role} connection to ${server}`;
    this.#telemetry = telemetry;
    this.redis = endpoint(connectionOptions(role));
    this.redis.on('ready', () => this.#ready());
    this.redis.on('error', (error: Error) => {
      this.#lastError = error.message || error.name;
    });
    this.redis.on('close', () => this.#lost());
    if (role === 'commands') this.#stopPinging = every(clock, PING_MS, () => void this.#ping());
  }

  get ready(): boolean {
    return this.redis.status === 'ready' && this.#missedPings < PINGS_UNTIL_DOUBT;
  }

  /** Why it is not ready. */
  get problem(): string {
    const state = this.redis.status === 'ready' ? 'Redis does not answer' : this.#lastError;
    return `${this.#name}: ${state}`;
  }

  /**
   * Waits a moment for the first connection. A Redis that is away is no error here: the connection
   * keeps trying, and the process can live, and say that it is not ready (HON).
   */
  connect(): Promise<void> {
    this.#connected ??= this.#connect();
    return this.#connected;
  }

  /** Drops the connection, for `reason`, and connects anew; for one that is open and dead. */
  rebuild(reason: string): void {
    if (this.redis.status !== 'ready') return;
    this.#lastError = reason;
    this.redis.disconnect(true);
  }

  /** The same also for one that is being made: it may lead where the endpoint led before. */
  leave(reason: string): void {
    const { status } = this.redis;
    if (status === 'connecting' || status === 'connect') this.#outdated = reason;
    else this.rebuild(reason);
  }

  close(): void {
    this.#closed = true;
    this.#stopPinging?.();
    this.redis.disconnect();
  }

  async #connect(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.redis.once('ready', resolve);
    this.redis.connect().catch(() => {}); // reported by the events
    await withDeadline(promise, START_TIMEOUT_MS, 'connecting').catch(() => {});
  }

  #ready(): void {
    if (this.#outdated !== undefined) {
      this.rebuild(this.#outdated);
      return;
    }
    this.#missedPings = 0;
    this.#wasReady = true;
    this.#telemetry.report({ type: 'broker_connected' });
  }

  /** Reported once per outage, not once per attempt. */
  #lost(): void {
    this.#outdated = undefined;
    if (this.#closed || this.#wasReady === false) return;
    this.#wasReady = false;
    this.#telemetry.report({
      type: 'broker_disconnected',
      detail: `${this.#name}: ${this.#lastError}`,
    });
    this.#lastError = 'connection closed';
  }

  /** A connection can be open and dead: then nothing but silence tells. */
  async #ping(): Promise<void> {
    if (this.redis.status !== 'ready') return;
    try {
      await withDeadline(this.redis.ping(), COMMAND_DEADLINE_MS, 'PING');
      this.#missedPings = 0;
    } catch {
      this.#missedPings += 1;
      if (this.#missedPings >= PINGS_UNTIL_RECONNECT) this.rebuild('Redis does not answer');
    }
  }
}

function connectionOptions(role: ConnectionRole): RedisOptions {
  return {
    lazyConnect: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: COMMAND_TIMEOUT_MS,
    disconnectTimeout: 200,
    maxLoadingRetryTime: 500,
    connectionName: `leque-${role}`,
    disableClientInfo: true,
    // A command either gets its answer now or fails: what was sent twice could happen twice.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false, // it would put every channel into one command
    retryStrategy,
  };
}

/** Spread out, so that not every node of a cluster comes back in the same moment. */
export function retryStrategy(attempt: number): number {
  return Math.min(MAX_RETRY_MS, 25 * 2 ** attempt) * (0.5 + Math.random() / 2);
}
