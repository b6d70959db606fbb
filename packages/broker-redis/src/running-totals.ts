import { type Cancel, systemClock, type Telemetry, type Totals } from '@leque/core';
import type { Redis } from 'ioredis';
import { runPipeline } from './pipeline.ts';
import { isReply } from './redis-errors.ts';

const FLUSH_MS = 500;

/** The running totals of the cluster: what this process adds, gathered for half a second. */
export class RunningTotals {
  readonly #redis: Redis;
  readonly #key: string;
  readonly #telemetry: Telemetry;
  readonly #pending = new Map<string, number>();
  #cancelFlush: Cancel | undefined;

  constructor(redis: Redis, key: string, telemetry: Telemetry) {
    this.#redis = redis;
    this.#key = key;
    this.#telemetry = telemetry;
  }

  add(totals: Partial<Totals>): void {
    for (const [name, change] of Object.entries(totals)) {
      if (change !== 0) this.#pending.set(name, (this.#pending.get(name) ?? 0) + change);
    }
    this.#flushLater();
  }

  /** What cannot be written now is kept for later. */
  async flush(): Promise<void> {
    const changes = [...this.#pending];
    this.#pending.clear();
    if (changes.length === 0) return;
    try {
      await runPipeline(this.#redis, (pipeline) => {
        for (const [name, change] of changes) pipeline.hincrby(this.#key, name, change);
      });
    } catch (error) {
      if (isReply(error)) this.#telemetry.report({ type: 'failure', where: 'totals', error });
      this.add(Object.fromEntries(changes));
    }
  }

  /** Writes what is left, once. */
  async close(): Promise<void> {
    await this.flush();
    this.#cancelFlush?.();
  }

  #flushLater(): void {
    if (this.#pending.size === 0) return;
    this.#cancelFlush ??= systemClock.after(FLUSH_MS, () => {
      this.#cancelFlush = undefined;
      void this.flush();
    });
  }
}
