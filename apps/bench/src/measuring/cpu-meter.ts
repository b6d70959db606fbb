import { cpuMicroseconds } from '@leque/lab';
import { type Figures, known } from '../results/figures.ts';

/** The processes whose CPU time is measured, by their role in the report. */
export interface Measured {
  readonly server: readonly number[];
  readonly redis: readonly number[];
}

/** CPU time in µs; undefined where the system does not report it. */
interface CpuTime {
  readonly server: number | undefined;
  readonly redis: number | undefined;
}

/** CPU time of server and Redis between two moments. */
export class CpuMeter {
  readonly #pids: Measured;
  #before: CpuTime = { server: undefined, redis: undefined };
  #used: CpuTime = { server: undefined, redis: undefined };

  constructor(pids: Measured) {
    this.#pids = pids;
  }

  start(): void {
    this.#before = this.#read();
  }

  stop(): void {
    const now = this.#read();
    this.#used = {
      server: difference(now.server, this.#before.server),
      redis: difference(now.redis, this.#before.redis),
    };
  }

  /** Cores used over `seconds`, and µs for each of `count` deliveries, events or subscribes. */
  figures(seconds: number, count: number, work: 'Delivery' | 'Event' | 'Subscribe'): Figures {
    const { server, redis } = this.#used;
    return known([
      ['serverCores', per(server, seconds * 1e6)],
      ['redisCores', per(redis, seconds * 1e6)],
      [`cpuUsPer${work}`, per(server, count)],
      [`redisUsPer${work}`, per(redis, count)],
    ]);
  }

  #read(): CpuTime {
    return { server: cpuMicroseconds(this.#pids.server), redis: cpuMicroseconds(this.#pids.redis) };
  }
}

function difference(now: number | undefined, before: number | undefined): number | undefined {
  return now === undefined || before === undefined ? undefined : now - before;
}

function per(microseconds: number | undefined, count: number): number | undefined {
  return microseconds === undefined ? undefined : microseconds / count;
}
