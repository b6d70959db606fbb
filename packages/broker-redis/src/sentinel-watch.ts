import { Redis } from 'ioredis';
import { type SentinelAddress, tlsOptions } from './redis-address.ts';
import { CONNECT_TIMEOUT_MS, retryStrategy } from './redis-connection.ts';

const CHANNEL = '+switch-master';

/**
 * Hears from each sentinel that another server has become the master. An old one that can reach
 * nobody but this process would go on answering it, and nobody else.
 */
export class SentinelWatch {
  readonly #clients: readonly Redis[];
  readonly #name: string;
  readonly #switched: () => void;
  #last = '';
  #started = false;

  constructor(address: SentinelAddress, switched: () => void) {
    const { username, password } = address.sentinels;
    this.#name = address.name;
    this.#switched = switched;
    this.#clients = address.hosts.map((host) => {
      const redis = new Redis({
        ...host,
        ...(username !== undefined && { username }),
        ...(password !== undefined && { password }),
        ...tlsOptions(address),
        lazyConnect: true,
        enableReadyCheck: false, // there is nothing to load
        connectTimeout: CONNECT_TIMEOUT_MS,
        maxRetriesPerRequest: null,
        retryStrategy,
      });
      redis.on('error', () => {}); // one that is away has two others beside it
      redis.on('message', (_, text: string) => this.#heard(text));
      return redis;
    });
  }

  start(): void {
    if (this.#started) return;
    this.#started = true;
    // Waits for the sentinel, and is repeated on every new connection.
    for (const each of this.#clients) each.subscribe(CHANNEL).catch(() => {});
  }

  close(): void {
    for (const each of this.#clients) each.disconnect();
  }

  /** `NAME OLD_IP OLD_PORT NEW_IP NEW_PORT`, from each of them. */
  #heard(text: string): void {
    if (text === this.#last || !text.startsWith(`${this.#name} `)) return;
    this.#last = text;
    this.#switched();
  }
}
