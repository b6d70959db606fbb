import { type Cancel, type Clock, every } from '../lib/clock.ts';

/** Fields that `Heartbeats` keeps on each connection; nobody else writes them. */
export interface HeartbeatState {
  /** The turn in which the client was last heard of. */
  heardAt: number;
  /** The turn of each interval in which the connection gets its heartbeat. */
  beatsAt: number;
}

export interface HeartbeatTimes {
  readonly intervalMs: number;
  /** The longest time without a ping; a heartbeat is one, too. The interval when it is undefined. */
  readonly pingMs?: number;
  /** A client that is silent for this long is gone. */
  readonly timeoutMs: number;
}

export interface HeartbeatHandler<T> {
  beat(connection: T): void;
  /** Called between two heartbeats, where the interval is longer than the time between pings. */
  ping?(connection: T): void;
  /** Called once for a silent client, whose connection has been removed. */
  silent(connection: T): void;
}

/** The fewest turns of an interval. */
const MIN_TURNS = 8;
const MAX_TURN_MS = 1000;

/**
 * Sends the heartbeats of all connections with one timer: a wheel that has a slot for each turn of
 * the interval. A turn visits one slot, and the clients that have been silent for long.
 */
export class Heartbeats<T extends HeartbeatState> {
  readonly #handler: HeartbeatHandler<T>;
  readonly #slots: readonly Set<T>[];
  /** Connections that may time out before their next heartbeat. */
  readonly #quiet = new Set<T>();
  /** The turns by which pings go ahead of a heartbeat. */
  readonly #pingsAhead: readonly number[];
  readonly #turnsUntilSilent: number;
  readonly #stop: Cancel;
  #turn = 0;

  constructor(clock: Clock, times: HeartbeatTimes, handler: HeartbeatHandler<T>) {
    const { intervalMs, timeoutMs, pingMs = intervalMs } = times;
    const turnMs = Math.min(Math.min(intervalMs, timeoutMs) / MIN_TURNS, MAX_TURN_MS);
    this.#handler = handler;
    this.#slots = Array.from({ length: Math.round(intervalMs / turnMs) }, () => new Set<T>());
    const pings = Math.ceil(intervalMs / pingMs);
    this.#pingsAhead = Array.from({ length: pings - 1 }, (_, index) =>
      Math.round(((index + 1) * this.#slots.length) / pings),
    );
    // One more, because the client may have been heard of right before the first turn.
    this.#turnsUntilSilent = Math.ceil(timeoutMs / turnMs) + 1;
    this.#stop = every(clock, turnMs, () => this.#next());
  }

  /** Begins after half an interval to a whole one, at random: clients come together after a deploy. */
  add(connection: T): void {
    const turns = this.#slots.length;
    connection.beatsAt = (this.#turn + Math.ceil(turns * (0.5 + Math.random() / 2))) % turns;
    this.heard(connection);
    this.#slots[connection.beatsAt]?.add(connection);
    this.#watch(connection);
  }

  /** Notes that the client has shown that it is alive. */
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
    for (const connection of this.#slotIn(0)) {
      this.#watch(connection);
      this.#handler.beat(connection);
    }
    for (const turns of this.#pingsAhead) {
      for (const connection of this.#slotIn(turns)) this.#handler.ping?.(connection);
    }
  }

  /** The connections whose heartbeat comes after so many turns. */
  #slotIn(turns: number): Iterable<T> {
    return this.#slots[(this.#turn + turns) % this.#slots.length] ?? [];
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
