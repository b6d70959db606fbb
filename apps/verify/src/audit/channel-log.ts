import type { Position } from '@leque/protocol';
import { type GrowingRun, grow, type Run } from './runs.ts';

/** What a client was told about one channel. */
export type LogEntry =
  /** It begins here: after this position, or, without one, with its first publication. */
  | { readonly kind: 'start'; readonly position?: Position }
  | ({ readonly kind: 'run' } & Run)
  /**
   * The server says that something is missing, and goes on after this position; up to `until` more
   * may be missing. A resume that was answered with `recovered: false` says the same.
   */
  | { readonly kind: 'resync'; readonly position?: Position; readonly until?: Position };

/** Keeps what a client was told in so few words that a million deliveries fit. */
export class ChannelLog {
  readonly entries: LogEntry[] = [];
  /** The highest that has come. */
  lastNumber = 0;
  #run: GrowingRun | undefined;
  /** Its numbers are not higher than those before it, as of what comes again. */
  #runIsOld = false;

  publication(position: Position, number: number): void {
    const old = number <= this.lastNumber;
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
