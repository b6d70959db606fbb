import type { BucketCounts } from '../lib/bucket-counts.ts';
import type { Cancel, Clock } from '../lib/clock.ts';
import { FrameJoiner } from './frame-joiner.ts';
import type { Outbox } from './outbox.ts';
import type { Pace } from './pace.ts';

/** Flushing yields after this time to heartbeats, commands and the broker. */
const SLICE_MS = 5;
/** Turns are numbered up to this; a small integer takes no memory of its own. */
const MAX_TURN = 2 ** 20;
/** Outboxes of one group that are flushed before it is the next group's turn. */
export const QUANTUM = 64;

/** Work for the end of a turn of the event loop. */
export interface TurnTask {
  endTurn(): void;
}

/** Outboxes that were touched together; the first `done` of them have been flushed. */
interface Group {
  readonly outboxes: readonly Outbox[];
  done: number;
}

/**
 * Decides when outboxes are flushed. An outbox that has been quiet for the pacing window is flushed
 * at the end of the turn of the event loop that touched it; a busy one at most once per window,
 * because the kernel's write is what costs. Flushing yields after a few milliseconds, and groups
 * take turns, so that a channel with thousands of subscribers delays no others.
 */
export class Flusher {
  readonly #clock: Clock;
  readonly #pace: Pace;
  readonly #sliceSeconds: BucketCounts;
  readonly #joiner = new FrameJoiner();
  #tasks: TurnTask[] = [];
  /** Earliest time for the tasks, on the monotonic clock. */
  #tasksDueAt = Number.NEGATIVE_INFINITY;
  #cancelTasks: Cancel | undefined;
  #touched: Outbox[] = [];
  /** Outboxes of this turn's small groups. */
  #few: Outbox[] = [];
  /** Groups in the order of their turns. */
  #groups: Group[] = [];
  /** Index in `#touched` at which the current quantum begins. */
  #quantumStart = 0;
  /** Quanta of this turn so far, and the number of first ones that are not flushed at once. */
  #quanta = 0;
  #skippedQuanta = 0;
  #sliceStart = 0;
  /** Time of this turn in which quanta were written. */
  #writingMs = 0;
  /** The number of this turn, which begins anew from time to time. */
  #turn = 0;
  #scheduled = false;
  /** Timer wheel of busy outboxes: the index is the due millisecond modulo the length. */
  readonly #wheel: Outbox[][];
  #waiting = 0;
  /** The wheel has been emptied up to this millisecond. */
  #wheelAt = 0;
  #cancelTimer: Cancel | undefined;

  /**
   * @param pace the minimum time between two flushes of an outbox
   * @param sliceSeconds counts how long flushing blocks the event loop at a time
   */
  constructor(clock: Clock, pace: Pace, sliceSeconds: BucketCounts) {
    this.#clock = clock;
    this.#sliceSeconds = sliceSeconds;
    this.#pace = pace;
    const { maxWindowMs } = pace;
    this.#wheel = Array.from({ length: Math.ceil(maxWindowMs) + 2 }, () => []);
  }

  /**
   * Calls the task once at the end of this turn of the event loop, before outboxes are flushed.
   * Under load it is called some milliseconds later, so that batches get larger for sessions that
   * wait anyway.
   */
  atEndOfTurn(task: TurnTask): void {
    this.#tasks.push(task);
    this.#schedule();
  }

  /** Calls the waiting tasks now, for a caller that has to come after them. */
  runTasks(): void {
    const tasks = this.#tasks;
    this.#tasks = [];
    for (const task of tasks) task.endTurn();
  }

  /** Schedules a flush of an outbox that a frame was pushed to. */
  touch(outbox: Outbox): void {
    outbox.touchedIn(this.#turn);
    if (outbox.awaitsFlush) return;
    outbox.awaitsFlush = true;
    this.#touched.push(outbox);
    this.#schedule();
  }

  /** Flushes an outbox out of turn, before something is written to its socket directly. */
  flushNow(outbox: Outbox): void {
    outbox.flush(this.#clock.monotonic(), this.#joiner);
  }

  /**
   * Called after each quantum of a large group that is being touched. If no group waits and the
   * slice has time left, the quantum is flushed at once, while its data is in the processor's
   * caches.
   */
  endQuantum(): void {
    const now = this.#clock.monotonic();
    this.#quanta += 1;
    if (this.#quanta > this.#skippedQuanta && this.#groups.length === 0 && !this.#isOver(now)) {
      for (const outbox of this.#touched.splice(this.#quantumStart)) this.#flush(outbox, now);
      this.#writingMs += this.#clock.monotonic() - now;
    }
    this.#quantumStart = this.#touched.length;
  }

  /**
   * Ends a group: outboxes touched since the last call take turns with others. Small groups are
   * merged.
   */
  endGroup(): void {
    const touched = this.#touched;
    this.#touched = [];
    this.#quantumStart = 0;
    if (touched.length < QUANTUM) this.#few.push(...touched);
    else this.#groups.push({ outboxes: touched, done: 0 });
  }

  close(): void {
    this.#cancelTimer?.();
    this.#cancelTasks?.();
  }

  #takeFew(): void {
    if (this.#few.length === 0) return;
    this.#groups.push({ outboxes: this.#few, done: 0 });
    this.#few = [];
  }

  /** Subscribers are always touched in the same order; without this the first would always win. */
  #rotate(): void {
    this.#skippedQuanta = this.#quanta > 0 ? (this.#skippedQuanta + 1) % this.#quanta : 0;
    this.#quanta = 0;
  }

  #isOver(now: number): boolean {
    return now - this.#sliceStart >= SLICE_MS;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#clock.defer(this.#endTurn);
  }

  readonly #endTurn = (): void => {
    this.#scheduled = false;
    this.#turn = (this.#turn + 1) % MAX_TURN;
    this.#writingMs = 0;
    this.#sliceStart = this.#clock.monotonic();
    this.#runDueTasks(this.#sliceStart);
    this.#rotate();
    this.endGroup();
    this.#takeFew();
    this.#flushSlice();
    if (this.#groups.length > 0) this.#schedule();
  };

  #runDueTasks(now: number): void {
    if (this.#tasks.length === 0) return;
    if (now < this.#tasksDueAt) {
      this.#cancelTasks ??= this.#clock.after(this.#tasksDueAt - now, this.#wake);
      return;
    }
    this.#tasksDueAt = now + this.#pace.gatherMs;
    this.runTasks();
  }

  readonly #wake = (): void => {
    this.#cancelTasks = undefined;
    this.#schedule();
  };

  #flushSlice(): void {
    const start = this.#clock.monotonic();
    let now = start;
    for (let group = this.#groups.shift(); group !== undefined; group = this.#groups.shift()) {
      const end = Math.min(group.done + QUANTUM, group.outboxes.length);
      for (; group.done < end; group.done += 1) this.#flush(group.outboxes[group.done], now);
      if (end < group.outboxes.length) this.#groups.push(group);
      now = this.#clock.monotonic();
      if (this.#isOver(now)) break;
    }
    this.#pace.spent(this.#writingMs + now - start, now);
    this.#sliceSeconds.observe((now - this.#sliceStart) / 1000);
    this.#waitForDue(now);
  }

  #flush(outbox: Outbox | undefined, now: number): void {
    if (outbox === undefined) return;
    const dueAt = outbox.flushedAt + this.#pace.windowMs;
    if (now < dueAt) {
      this.#wait(outbox, now, dueAt);
    } else {
      if (outbox.turns > 0) this.#pace.wrote(now - outbox.flushedAt, outbox.turns);
      outbox.awaitsFlush = false;
      outbox.flush(now, this.#joiner);
    }
  }

  #wait(outbox: Outbox, now: number, dueAt: number): void {
    if (this.#waiting === 0) this.#wheelAt = Math.floor(now);
    this.#wheel[Math.ceil(dueAt) % this.#wheel.length]?.push(outbox);
    this.#waiting += 1;
  }

  #waitForDue(now: number): void {
    if (this.#waiting === 0 || this.#cancelTimer !== undefined) return;
    const { length } = this.#wheel;
    let at = this.#wheelAt + 1;
    while (this.#wheel[at % length]?.length === 0 && at < this.#wheelAt + length) at += 1;
    this.#cancelTimer = this.#clock.after(Math.max(0, Math.ceil(at - now)), this.#takeDue);
  }

  readonly #takeDue = (): void => {
    this.#cancelTimer = undefined;
    const now = Math.floor(this.#clock.monotonic());
    // One round of the wheel takes everything.
    const until = Math.min(now, this.#wheelAt + this.#wheel.length);
    for (let at = this.#wheelAt + 1; at <= until; at += 1) this.#takeSlot(at % this.#wheel.length);
    this.#wheelAt = now;
    this.#waitForDue(now);
    if (this.#groups.length > 0) this.#schedule();
  };

  #takeSlot(slot: number): void {
    const due = this.#wheel[slot];
    if (due === undefined || due.length === 0) return;
    this.#wheel[slot] = [];
    this.#waiting -= due.length;
    this.#groups.push({ outboxes: due, done: 0 });
  }
}
