import { type Cancel, type Clock, every } from '../lib/clock.ts';

/** A connection that gets heartbeats. Both numbers are `Heartbeats`' own. */
export interface Beating {
  /** The turn in which its client was last heard of. */
  heardAt: number;
  /** The turn of each interval in which it gets its heartbeat. */
  beatsAt: number;
}

export interface HeartbeatTimes {
  readonly intervalMs: number;
  /** A client that is not heard of for so long is gone. */
  readonly timeoutMs: number;
}

export interface HeartbeatHandler<T> {
  beat(connection: T): void;
  /** Called once; the connection is not looked at any more. */
  silent(connection: T): void;
}

/** How many turns an interval has at least, and how long they are at most. */
const MIN_TURNS = 8;
const MAX_TURN_MS = 1000;

/**
 * One timer for the heartbeats of all connections: a wheel with a slot for each turn of the interval,
 * of which a turn looks at one. Only clients that were silent for long are looked at every turn.
 */
export class Heartbeats<T extends Beating> {
  readonly #handler: HeartbeatHandler<T>;
  readonly #slots: readonly Set<T>[];
  /** Those that may fall silent before their next heartbeat. */
  readonly #quiet = new Set<T>();
  readonly #turnsUntilSilent: number;
  readonly #stop: Cancel;
  #turn = 0;

  constructor(clock: Clock, times: HeartbeatTimes, handler: HeartbeatHandler<T>) {
    const { intervalMs, timeoutMs } = times;
    const turnMs = Math.min(Math.min(intervalMs, timeoutMs) / MIN_TURNS, MAX_TURN_MS);
    this.#handler = handler;
    this.#slots = Array.from({ length: Math.round(intervalMs / turnMs) }, () => new Set<T>());
    // One more, as it may have been heard of right before the first of them.
    this.#turnsUntilSilent = Math.ceil(timeoutMs / turnMs) + 1;
    this.#stop = every(clock, turnMs, () => this.#next());
  }

  /** Begins half an interval to one from now, spread: clients come together after a deploy. */
  add(connection: T): void {
    const turns = this.#slots.length;
    connection.beatsAt = (this.#turn + Math.ceil(turns * (0.5 + Math.random() / 2))) % turns;
    this.heard(connection);
    this.#slots[connection.beatsAt]?.add(connection);
    this.#watch(connection);
  }

  /** Its client has shown that it lives. */
  heard(connection: T): void {
    connection.heardAt = this.#turn;
  }

  remove(connection: T): void {
    this.#slots[connection.beatsAt]?.delete(connection);
    this.#quiet.delete(connection);
  }

  close(): void {
    this.#stop();
  }

  #next(): void {
    this.#turn += 1;
    for (const connection of this.#quiet) this.#judge(connection);
    for (const connection of this.#slots[this.#turn % this.#slots.length] ?? []) {
      this.#watch(connection);
      this.#handler.beat(connection);
    }
  }

  #watch(connection: T): void {
    if (this.#isQuiet(connection)) this.#quiet.add(connection);
  }

  #judge(connection: T): void {
    if (!this.#isQuiet(connection)) {
      this.#quiet.delete(connection);
    } else if (this.#turn - connection.heardAt >= this.#turnsUntilSilent) {
      this.remove(connection);
      this.#handler.silent(connection);
    }
  }

  #isQuiet({ heardAt }: T): boolean {
    return this.#turn + this.#slots.length - heardAt >= this.#turnsUntilSilent;
  }
}
