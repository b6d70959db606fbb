import type { Position } from '@leque/protocol';
import { LiveLog } from './live-log.ts';
import { type GrowingRun, grow, type Run } from './runs.ts';

/** The publications that one client has received in one channel. */
export type LogEntry =
  /** The log starts after this position, or, without one, with the first publication. */
  | { readonly kind: 'start'; readonly position?: Position }
  | ({ readonly kind: 'run' } & Run)
  /**
   * The server reported missing publications and continues after this position; up to `until` more
   * may be missing. A resume answered with `recovered: false` is logged the same way.
   */
  | { readonly kind: 'resync'; readonly position?: Position; readonly until?: Position };

/** A log that stores consecutive publications as one entry, so that a million deliveries fit. */
export class ChannelLog {
  readonly entries: LogEntry[] = [];
  readonly lives = new LiveLog();
  /** The highest number received. */
  lastNumber = 0;
  #run: GrowingRun | undefined;
  /** Whether the numbers of the current run were received before. */
  #runIsOld = false;

  publication(position: Position, number: number): void {
    const old = number <= this.lastNumber;
    if (!old) this.lives.stored(number);
    this.lastNumber = Math.max(this.lastNumber, number);
    if (old === this.#runIsOld && this.#run !== undefined && grow(this.#run, position, number)) {
      return;
    }
    const run = { kind: 'run' as const, ...position, number, count: 1 };
    this.entries.push(run);
    this.#run = run;
    this.#runIsOld = old;
  }

  note(entry: LogEntry): void {
    this.entries.push(entry);
    this.#run = undefined;
  }
}
