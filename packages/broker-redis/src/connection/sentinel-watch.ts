import type { Cancel } from '@leque/core';
import { Redis } from 'ioredis';
import { sentinelClientOptions } from './client-options.ts';
import type { SentinelAddress } from './redis-address.ts';
import { CONNECT_TIMEOUT_MS, retryStrategy } from './redis-connection.ts';
import { RetryingConnection } from './retrying-connection.ts';
import type { FailoverNotice, FailoverSource } from './sentinel-connector.ts';

/** The channel in which sentinels announce another master. */
export const SWITCH_MASTER = '+switch-master';

/**
 * Listens to every sentinel for another master. Without it a process would stay with an old master
 * that is cut off from the others, because that master goes on answering.
 */
export class SentinelWatch implements FailoverSource {
  readonly #clients: readonly RetryingConnection[];
  readonly #name: string;
  #last = '';
  #notice: FailoverNotice | undefined;
  readonly #listeners = new Set<() => void>();
  #started = false;

  constructor(address: SentinelAddress) {
    this.#name = address.name;
    this.#clients = address.hosts.map((host) => {
      const redis = new Redis({
        ...sentinelClientOptions(host, address),
        connectTimeout: CONNECT_TIMEOUT_MS,
        disconnectTimeout: 200,
        maxRetriesPerRequest: null,
        retryStrategy,
      });
      redis.on('message', (_, text: string) => this.#message(text, { sentinel: host }));
      return new RetryingConnection(redis);
    });
  }

  get notice(): FailoverNotice | undefined {
    return this.#notice;
  }

  start(): void {
    if (this.#started) return;
    this.#started = true;
    // ioredis waits for the sentinel, and subscribes again on every new connection.
    for (const { redis } of this.#clients) redis.subscribe(SWITCH_MASTER).catch(() => {});
  }

  /** Calls `listener` whenever another server has become the master. */
  onFailover(listener: () => void): Cancel {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  close(): void {
    for (const each of this.#clients) each.close();
  }

  /** @param text `NAME OLD_IP OLD_PORT NEW_IP NEW_PORT`, the same from every sentinel */
  #message(text: string, notice: FailoverNotice): void {
    if (text === this.#last || !text.startsWith(`${this.#name} `)) return;
    this.#last = text;
    this.#notice = notice;
    for (const listener of this.#listeners) listener();
  }
}
