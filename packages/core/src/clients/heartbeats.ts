import { type Cancel, type Clock, every } from '../lib/clock.ts';

/** Fields that `Heartbeats` keeps on each connection; nobody else writes them. */
export interface HeartbeatState {
  /** The turn in which the client was last heard of. */
  heardAt: number;
  /** Index of the wheel's slot that the connection is in. */
  beatsAt: number;
}

export interface HeartbeatTimes {
  readonly intervalMs: number;
  /** The longest time without a ping, but at least a second; the interval when it is undefined. */
  readonly pingMs?: number;
  /** A client that is silent for this long is gone. */
  readonly timeoutMs: number;
}

export interface HeartbeatHandler<T> {
  /** @param pings whether a ping is due as well */
  beat(connection: T, pings: boolean): void;
  /** Called for a ping without a heartbeat, when `pingMs` is shorter than the interval. */
  ping?(connection: T): void;
  /** Called once for a silent client, whose connection has been removed. */
  silent(connection: T): void;
}

/** The fewest turns of an interval. */
const MIN_TURNS = 8;
const MAX_TURN_MS = 1000;
/** Heartbeat intervals in one round of the wheel when `pingMs` is little shorter than an interval. */
const LONG_ROUND = 4;

/**
 * Sends the heartbeats of all connections with one timer: a wheel of slots, which a round visits one
 * after the other. A turn visits the slots that get a heartbeat or a ping, and the clients that have
 * been silent for long. A round may last several intervals: five pings in four intervals of 30 s are
 * 24 s apart, where a whole number of pings in each interval would have them 15 s apart.
 */
export class Heartbeats<T extends HeartbeatState> {
  readonly #handler: HeartbeatHandler<T>;
  readonly #slots: readonly Set<T>[];
  /** Connections that may time out before their next heartbeat. */
  readonly #quiet = new Set<T>();
  readonly #turnsOfInterval: number;
  /** A connection gets a heartbeat when its slot is this many turns ahead. */
  readonly #beatsAhead: ReadonlySet<number>;
  readonly #pingsAhead: ReadonlySet<number>;
  readonly #turnsUntilSilent: number;
  readonly #stop: Cancel;
  #turn = 0;

  constructor(clock: Clock, times: HeartbeatTimes, handler: HeartbeatHandler<T>) {
    const { intervalMs, timeoutMs, pingMs = intervalMs } = times;
    const turnMs = Math.min(Math.min(intervalMs, timeoutMs) / MIN_TURNS, MAX_TURN_MS);
    const isLittleShorter = pingMs < intervalMs && pingMs > intervalMs / LONG_ROUND;
    const intervals = isLittleShorter ? LONG_ROUND : 1;
    this.#handler = handler;
    this.#turnsOfInterval = Math.round(intervalMs / turnMs);
    const turns = intervals * this.#turnsOfInterval;
    this.#slots = Array.from({ length: turns }, () => new Set<T>());
    this.#beatsAhead = spread(intervals, turns);
    const turnsOfPing = Math.max(1, Math.floor(pingMs / turnMs));
    this.#pingsAhead = spread(Math.ceil(turns / turnsOfPing), turns);
    // One more, because the client may have been heard of right before the first turn.
    this.#turnsUntilSilent = Math.ceil(timeoutMs / turnMs) + 1;
    this.#stop = every(clock, turnMs, () => this.#next());
  }

  /** Begins after half an interval to a whole one, at random: clients come together after a deploy. */
  add(connection: T): void {
    const turns = this.#turnsOfInterval;
    const interval = Math.floor(Math.random() * this.#beatsAhead.size);
    const first = Math.ceil(turns * (0.5 + Math.random() / 2)) + interval * turns;
    connection.beatsAt = (this.#turn + first) % this.#slots.length;
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
    for (const turns of this.#beatsAhead) this.#beat(turns);
    for (const turns of this.#pingsAhead) {
      if (this.#beatsAhead.has(turns)) continue;
      for (const connection of this.#slotIn(turns)) this.#handler.ping?.(connection);
    }
  }

  #beat(turns: number): void {
    const pings = this.#pingsAhead.has(turns);
    for (const connection of this.#slotIn(turns)) {
      this.#watch(connection);
      this.#handler.beat(connection, pings);
    }
  }

  /** The connections whose slot is this many turns ahead. */
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
    return this.#turn + this.#turnsOfInterval - heardAt >= this.#turnsUntilSilent;
  }
}

/** Turns of a round at which `count` visits are evenly spread. */
function spread(count: number, turns: number): Set<number> {
  return new Set(Array.from({ length: count }, (_, index) => Math.floor((index * turns) / count)));
}
