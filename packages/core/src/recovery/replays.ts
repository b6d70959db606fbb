import { ConcurrencyLimit } from '../lib/concurrency-limit.ts';
import { Drains } from './drains.ts';
import type { RecoveringSession, RecoveringSubscription } from './recovering-session.ts';
import { Replay, type ReplayDeps } from './replay.ts';

/** Few pages at once leave the node's event loop and its broker to everybody else. */
const TURNS = { running: 4, waiting: 20_000 };

/** The replays of all sessions that have missed something. */
export class Replays {
  readonly #deps: ReplayDeps;
  readonly #replays = new Map<RecoveringSession, Replay>();

  constructor(deps: Omit<ReplayDeps, 'drains' | 'turns'>) {
    const [drains, turns] = [new Drains(deps.clock), new ConcurrencyLimit(TURNS)];
    this.#deps = { ...deps, drains, turns };
  }

  /** Calls `tell` once all these channels flow, after the next `start` at the earliest. */
  announce(session: RecoveringSession, channels: readonly string[], tell: () => void): void {
    this.#open(session).announce({ channels, tell });
  }

  /**
   * Starts subscriptions of which the outcome is known: they send what was missed, in the order in which
   * it was stored, and then flow.
   */
  start(session: RecoveringSession, subscriptions: readonly RecoveringSubscription[]): void {
    const released = subscriptions.filter((subscription) => subscription.release() !== undefined);
    if (released.length === 0 && !this.#replays.has(session)) return;
    const replay = this.#open(session);
    replay.run(released, () => this.#forget(session, replay));
    this.#forget(session, replay);
  }

  /** The session has ended. */
  end(session: RecoveringSession): void {
    this.#replays.delete(session);
    this.#deps.drains.end(session);
  }

  close(): void {
    this.#deps.drains.close();
  }

  #open(session: RecoveringSession): Replay {
    const replay = this.#replays.get(session) ?? new Replay(session, this.#deps);
    this.#replays.set(session, replay);
    return replay;
  }

  #forget(session: RecoveringSession, replay: Replay): void {
    if (replay.done && this.#replays.get(session) === replay) this.#replays.delete(session);
  }
}
