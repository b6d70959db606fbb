import type { Cancel, Clock } from '../lib/clock.ts';

export interface Joiner {
  /** Whatever counts the connection while it is joining. */
  readonly counters: { joining: number };
  /** Milliseconds in which the client has to join; undefined where something else sees to that. */
  readonly withinMs?: number;
  /** Ends the connection at once. `reason` says whether it was late, or had to make room. */
  cut(reason: JoinFailure): void;
}

export type JoinFailure = 'late' | 'crowded';

interface Entry {
  readonly joiner: Joiner;
  readonly cancel: Cancel | undefined;
}

/**
 * Connections that wait for their client: it has not sent a whole request, or has not joined with a
 * token. They take places that sessions do not use. A newcomer always gets in: the one that has
 * been joining for longest makes room, because honest clients join within moments.
 */
export class Joining {
  readonly #clock: Clock;
  readonly #places: () => number;
  /** The oldest one first. */
  readonly #entries = new Map<object, Entry>();

  /** @param places most connections that may be joining now, at least 1 */
  constructor(clock: Clock, places: () => number) {
    this.#clock = clock;
    this.#places = places;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** @param connection identifies the connection in `remove` */
  add(connection: object, joiner: Joiner): void {
    this.remove(connection);
    const { withinMs } = joiner;
    const late = () => this.#cut(connection, 'late');
    const cancel = withinMs === undefined ? undefined : this.#clock.after(withinMs, late);
    this.#entries.set(connection, { joiner, cancel });
    joiner.counters.joining += 1;
    this.#makeRoom();
  }

  /** The connection has joined, or is gone. Does nothing for a connection that is not joining. */
  remove(connection: object): void {
    const entry = this.#entries.get(connection);
    if (entry === undefined) return;
    this.#entries.delete(connection);
    entry.cancel?.();
    entry.joiner.counters.joining -= 1;
  }

  #makeRoom(): void {
    const places = Math.max(1, this.#places());
    for (const connection of this.#entries.keys()) {
      if (this.#entries.size <= places) return;
      this.#cut(connection, 'crowded');
    }
  }

  #cut(connection: object, reason: JoinFailure): void {
    const joiner = this.#entries.get(connection)?.joiner;
    this.remove(connection);
    joiner?.cut(reason);
  }
}
