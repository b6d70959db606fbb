import type { Cancel, Totals } from '@leque/core';
import type { Redis } from 'ioredis';
import { COMMAND_DEADLINE_MS, withDeadline } from './deadline.ts';
import type { ConnectionPorts } from './redis-connection.ts';
import { isReply, writeFailure } from './redis-errors.ts';

const FLUSH_MS = 500;

/** The running totals of the cluster: what this process adds, gathered for half a second. */
export class RunningTotals {
  readonly #redis: Redis;
  readonly #key: string;
  readonly #ports: ConnectionPorts;
  readonly #pending = new Map<string, number>();
  #cancelFlush: Cancel | undefined;
  #closed = false;

  constructor(redis: Redis, key: string, ports: ConnectionPorts) {
    this.#redis = redis;
    this.#key = key;
    this.#ports = ports;
  }

  add(totals: Partial<Totals>): void {
    for (const [name, change] of Object.entries(totals)) this.#add(name, change);
  }

  /** Writes what is left, once. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelFlush?.();
    await this.#flush();
  }

  #add(name: string, change: number): void {
    if (change === 0 || this.#closed) return;
    this.#pending.set(name, (this.#pending.get(name) ?? 0) + change);
    this.#cancelFlush ??= this.#ports.clock.after(FLUSH_MS, () => {
      this.#cancelFlush = undefined;
      void this.#flush();
    });
  }

  async #flush(): Promise<void> {
    const changes = [...this.#pending];
    this.#pending.clear();
    await Promise.all(changes.map(([name, change]) => this.#write(name, change)));
  }

  /** What was surely not added is kept for later; the rest might count twice. */
  async #write(name: string, change: number): Promise<void> {
    const writing = this.#redis.hincrby(this.#key, name, change);
    try {
      await withDeadline(writing, COMMAND_DEADLINE_MS, 'HINCRBY');
    } catch (error) {
      if (isReply(error)) this.#ports.telemetry.report({ type: 'failure', where: 'totals', error });
      if (writeFailure(error).code !== 'outcome_unknown') this.#add(name, change);
    }
  }
}
