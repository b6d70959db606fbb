import type { Cancel, Totals } from '@leque/core';
import type { ConnectionDeps } from '../connection/redis-connection.ts';
import { isReply, writeFailure } from '../connection/redis-errors.ts';
import type { RedisLink } from '../link/redis-link.ts';

const FLUSH_MS = 500;

/** Adds to the running totals of all nodes; gathers additions for half a second. */
export class RunningTotals {
  readonly #link: Pick<RedisLink, 'run'>;
  readonly #key: string;
  readonly #deps: ConnectionDeps;
  readonly #pending = new Map<string, number>();
  #cancelFlush: Cancel | undefined;
  #closed = false;

  constructor(link: Pick<RedisLink, 'run'>, key: string, deps: ConnectionDeps) {
    this.#link = link;
    this.#key = key;
    this.#deps = deps;
  }

  add(totals: Partial<Totals>): void {
    // `Object.entries` would make a list for each published event.
    for (const name in totals) this.#add(name, totals[name as keyof Totals] ?? 0);
  }

  /** Tries once to write what is pending. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelFlush?.();
    await this.#flush();
  }

  #add(name: string, change: number): void {
    if (change === 0 || this.#closed) return;
    this.#pending.set(name, (this.#pending.get(name) ?? 0) + change);
    this.#cancelFlush ??= this.#deps.clock.after(FLUSH_MS, () => {
      this.#cancelFlush = undefined;
      void this.#flush();
    });
  }

  async #flush(): Promise<void> {
    const changes = [...this.#pending];
    this.#pending.clear();
    await Promise.all(changes.map(([name, change]) => this.#write(name, change)));
  }

  /** Keeps an addition only when it surely was not made: otherwise it might count twice. */
  async #write(name: string, change: number): Promise<void> {
    try {
      await this.#link.run(this.#key, (redis) => redis.hincrby(this.#key, name, change));
    } catch (error) {
      if (isReply(error)) this.#deps.telemetry.report({ type: 'failure', where: 'totals', error });
      if (writeFailure(error).code !== 'outcome_unknown') this.#add(name, change);
    }
  }
}
