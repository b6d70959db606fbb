import type { Cancel } from '@leque/core';
import { PatientConnection } from './patient-connection.ts';
import { type SentinelAddress, sentinelClientOptions } from './redis-address.ts';
import { CONNECT_TIMEOUT_MS, retryStrategy } from './redis-connection.ts';
import type { Informed } from './sentinel-connector.ts';

/** On which sentinels tell of another master. */
export const SWITCHES = '+switch-master';

/**
 * Hears from each sentinel that another server has become the master. An old one that can reach
 * nobody but this process would go on answering it, and nobody else.
 */
export class SentinelWatch {
  readonly #clients: readonly PatientConnection[];
  readonly #name: string;
  #last = '';
  #informed: Informed | undefined;
  readonly #listeners = new Set<() => void>();
  #started = false;

  constructor(address: SentinelAddress) {
    this.#name = address.name;
    this.#clients = address.hosts.map((host) => {
      const redis = new PatientConnection({
        ...sentinelClientOptions(host, address),
        connectTimeout: CONNECT_TIMEOUT_MS,
        disconnectTimeout: 200,
        maxRetriesPerRequest: null,
        retryStrategy,
      });
      redis.on('message', (_, text: string) => this.#heard(text, { sentinel: host }));
      return redis;
    });
  }

  /** Of the newest master; undefined as long as it is the first. */
  get informed(): Informed | undefined {
    return this.#informed;
  }

  start(): void {
    if (this.#started) return;
    this.#started = true;
    // Waits for the sentinel, and is repeated on every new connection.
    for (const each of this.#clients) each.subscribe(SWITCHES).catch(() => {});
  }

  /** Calls whenever another server has become the master. */
  onSwitched(listener: () => void): Cancel {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  close(): void {
    for (const each of this.#clients) each.disconnect();
  }

  /** `NAME OLD_IP OLD_PORT NEW_IP NEW_PORT`, from each of them. */
  #heard(text: string, from: Informed): void {
    if (text === this.#last || !text.startsWith(`${this.#name} `)) return;
    this.#last = text;
    this.#informed = from;
    for (const listener of this.#listeners) listener();
  }
}
