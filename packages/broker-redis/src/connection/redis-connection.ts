import { type Clock, type Telemetry, withDeadline } from '@leque/core';
import type { Redis, RedisOptions } from 'ioredis';
import type { Endpoint } from './client-options.ts';
import { Liveness } from './liveness.ts';
import { explainFailure, type RedisFailure, tellsOnlyTheEnd } from './redis-failures.ts';

/** The deadline of commands that have no shorter one: the handshake, and subscribing. */
const COMMAND_TIMEOUT_MS = 3000;
export const CONNECT_TIMEOUT_MS = 2000;
const START_TIMEOUT_MS = 3000;
const MAX_RETRY_MS = 1000;
const CLOSED = new Error('connection closed');

export type ConnectionRole = 'commands' | 'subscriber';

export interface ConnectionOptions {
  readonly endpoint: Endpoint;
  readonly role: ConnectionRole;
  /** Names the server where there are several; else empty. */
  readonly server: string;
}

export interface ConnectionDeps {
  readonly telemetry: Telemetry;
  readonly clock: Clock;
}

/** One connection to Redis that reconnects by itself, and reports whether Redis answers on it. */
export class RedisConnection {
  readonly redis: Redis;
  readonly #name: string;
  readonly #telemetry: Telemetry;
  readonly #liveness: Liveness;
  #connected: Promise<void> | undefined;
  #onDoubt: (() => void) | undefined;
  #wasReady: boolean | undefined;
  #lastError = CLOSED.message;
  #failure: RedisFailure | undefined;
  #closed = false;

  constructor(options: ConnectionOptions, { telemetry, clock }: ConnectionDeps) {
    const { endpoint, role, server } = options;
    this.#name = server === '' ? `${role} connection` : `${role} connection to ${server}`;
    this.#telemetry = telemetry;
    this.redis = endpoint(redisOptions(role));
    this.#liveness = new Liveness(this.redis, {
      clock,
      onReconnect: (reason) => {
        this.#lastError = reason;
      },
      onDoubt: () => this.#onDoubt?.(),
    });
    this.redis.on('ready', () => this.#ready());
    this.redis.on('error', (error: Error) => this.#failed(error));
    this.redis.on('close', () => this.#lost());
    // A probe proves that the subscriber connection receives, see link/probe.ts.
    if (role === 'commands') this.#liveness.startPinging();
  }

  get ready(): boolean {
    return this.redis.status === 'ready' && !this.#liveness.isDoubtful;
  }

  /** Why the connection is not ready. */
  get problem(): string {
    if (this.redis.status !== 'ready' && this.#failure !== undefined) return this.#failure.sentence;
    const state = this.redis.status === 'ready' ? 'Redis does not answer' : this.#lastError;
    return `${this.#name}: ${state}`;
  }

  /** Why waiting for the connection cannot help; undefined when it can. */
  get refusal(): string | undefined {
    return this.#failure?.isFinal ? this.#failure.sentence : undefined;
  }

  /**
   * Waits up to `START_TIMEOUT_MS` for the first connection, or until waiting cannot help. A Redis
   * that is away is no error here: the connection keeps trying, and the process can live and report
   * that it is not ready (HON).
   */
  connect(): Promise<void> {
    this.#connected ??= this.#connect();
    return this.#connected;
  }

  /** Calls back whenever Redis has not answered for a while, although the connection is open. */
  onDoubt(listener: () => void): void {
    this.#onDoubt = listener;
  }

  /** Replaces a connection that is open and dead; `reason` is reported. */
  rebuild(reason: string): void {
    this.#liveness.replace(reason);
  }

  /** Goes to the server to which the endpoint leads now; `reason` is reported. */
  leave(reason: string): void {
    this.#liveness.leave(reason);
  }

  close(): void {
    this.#closed = true;
    this.#liveness.stop();
    this.redis.disconnect();
  }

  async #connect(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.redis.once('ready', resolve);
    this.redis.on('error', () => {
      if (this.refusal !== undefined) resolve();
    });
    this.redis.connect().catch(() => {}); // reported by the events
    await withDeadline(promise, START_TIMEOUT_MS, 'connecting').catch(() => {});
  }

  #ready(): void {
    if (this.#liveness.isOutdated) return;
    this.#wasReady = true;
    this.#failure = undefined;
    this.#telemetry.report({ type: 'broker_connected' });
  }

  /** An alert of TLS may be lost when the other side ends the connection: an earlier one counts on. */
  #failed(error: Error): void {
    if (this.#failure?.isFinal && tellsOnlyTheEnd(error)) return;
    this.#failure = explainFailure(error, this.redis);
    this.#lastError = this.#failure?.sentence ?? (error.message || error.name);
  }

  /** Reports once for each outage, not once for each attempt. */
  #lost(): void {
    if (this.#closed || this.#wasReady === false) return;
    if (this.#wasReady === undefined) this.#failure ??= explainFailure(CLOSED, this.redis);
    this.#wasReady = false;
    this.#telemetry.report({
      type: 'broker_disconnected',
      detail: `${this.#name}: ${this.#lastError}`,
    });
    this.#lastError = CLOSED.message;
  }
}

function redisOptions(role: ConnectionRole): RedisOptions {
  return {
    lazyConnect: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: COMMAND_TIMEOUT_MS,
    disconnectTimeout: 200,
    maxLoadingRetryTime: 500,
    connectionName: `leque-${role}`,
    disableClientInfo: true,
    // A command gets its answer now or fails: a command that is sent twice could take effect twice.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false, // it would put every channel into one command
    retryStrategy,
  };
}

/** Milliseconds until the next attempt, spread so that not all nodes come back in one moment. */
export function retryStrategy(attempt: number): number {
  return Math.min(MAX_RETRY_MS, 25 * 2 ** attempt) * (0.5 + Math.random() / 2);
}
