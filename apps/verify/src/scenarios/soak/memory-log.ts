import { RedisProbe, residentKb } from '@leque/lab';
import type { System } from '../../target/system.ts';

const BYTES_PER_MB = 1024 * 1024;
const KB_PER_MB = 1024;
const LINES = 10;
/** Memory that garbage collectors and allocators may keep. */
const SLACK_MB = 32;
const GROWTH = 1.25;

interface Sample {
  readonly minutes: number;
  readonly gatewayMb: number;
  readonly redisMb: number;
}

/** Memory of Redis and of the gateway that is never killed, over time. */
export class MemoryLog {
  readonly #system: System;
  readonly #samples: Sample[] = [];
  readonly #startedAt = performance.now();

  constructor(system: System) {
    this.#system = system;
  }

  async sample(): Promise<void> {
    const pid = this.#system.gateways.at(-1)?.server.pid ?? 0;
    using redis = await RedisProbe.connect(this.#system.redis.standalone.port);
    this.#samples.push({
      minutes: (performance.now() - this.#startedAt) / 60_000,
      gatewayMb: (residentKb([pid]) ?? 0) / KB_PER_MB,
      redisMb: Number(await redis.info('used_memory')) / BYTES_PER_MB,
    });
  }

  /** A few of the samples, evenly. */
  lines(): string[] {
    const every = Math.max(1, Math.ceil(this.#samples.length / LINES));
    return this.#samples
      .filter((_, index) => index % every === 0 || index === this.#samples.length - 1)
      .map(
        ({ minutes, gatewayMb, redisMb }) =>
          `after ${minutes.toFixed(1)} min: gateway ${gatewayMb.toFixed(0)} MB, Redis ${redisMb.toFixed(1)} MB`,
      );
  }

  /** Whether the last quarter needs more than the second one, after the warm-up: in words. */
  growth(): string[] {
    const quarter = Math.floor(this.#samples.length / 4);
    if (quarter === 0) return [];
    const second = this.#samples.slice(quarter, 2 * quarter);
    const last = this.#samples.slice(-quarter);
    return (['gatewayMb', 'redisMb'] as const).flatMap((field) => {
      const [before, after] = [mean(second, field), mean(last, field)];
      const bound = before * GROWTH + SLACK_MB;
      return after > bound
        ? [`${field} grew from ${before.toFixed(0)} to ${after.toFixed(0)}`]
        : [];
    });
  }
}

function mean(samples: readonly Sample[], field: 'gatewayMb' | 'redisMb'): number {
  return samples.reduce((sum, sample) => sum + sample[field], 0) / samples.length;
}
