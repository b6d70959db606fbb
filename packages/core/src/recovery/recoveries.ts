import type { Position } from '@leque/protocol';
import type { Clock } from '../lib/clock.ts';
import { ConcurrencyLimit } from '../lib/concurrency-limit.ts';
import type { HistoryExtent } from '../ports/broker.ts';
import type { HistoryReader } from './history-reader.ts';
import type { RecoveringSession, RecoveringSubscription } from './recovering-session.ts';

/** One read at a time for each session; a resume never has as many cursors as may wait. */
const LINE = { running: 1, waiting: 512 };
/** How long a history may wait for earlier reads of the same session. */
const TIMEOUT_MS = 10_000;

export interface RecoveryDeps {
  readonly reader: HistoryReader;
  /** The most that is read at once. */
  readonly page: HistoryExtent;
  readonly clock: Clock;
}

/** Recoveries since the start of the process, by outcome. */
export interface RecoveryOutcomes {
  recovered: number;
  not_recovered: number;
  failed: number;
}

interface Recovery {
  readonly session: RecoveringSession;
  readonly subscription: RecoveringSubscription;
  readonly since: Position;
  /** When it began, on the monotonic clock. */
  readonly beganAt: number;
}

/**
 * Finds out whether the publications that sessions missed can be recovered, and reads those that fit
 * at once. The histories of one session are read one after the other, each limited to the room that is
 * left (MEM). `Replay` reads longer ones in pages.
 */
export class Recoveries {
  readonly #reader: HistoryReader;
  readonly #page: HistoryExtent;
  readonly #clock: Clock;
  readonly #outcomes: RecoveryOutcomes;
  readonly #lines = new WeakMap<RecoveringSession, ConcurrencyLimit>();

  constructor({ reader, page, clock }: RecoveryDeps, outcomes: RecoveryOutcomes) {
    this.#reader = reader;
    this.#page = page;
    this.#clock = clock;
    this.#outcomes = outcomes;
  }

  /**
   * Finds out the outcome of the cursor that the subscription has been presented.
   * @throws ProtocolError `unavailable`: it is unknown
   */
  async recover(
    session: RecoveringSession,
    subscription: RecoveringSubscription,
    since: Position,
  ): Promise<void> {
    const beganAt = this.#clock.monotonic();
    try {
      await this.#recover({ session, subscription, since, beganAt });
      this.#outcomes[subscription.recovered === true ? 'recovered' : 'not_recovered'] += 1;
    } catch (error) {
      this.#outcomes.failed += 1;
      throw error;
    }
  }

  async #recover(recovery: Recovery): Promise<void> {
    const { session, subscription } = recovery;
    if (!subscription.needsHistory()) return;
    const line = this.#lines.get(session) ?? new ConcurrencyLimit(LINE);
    this.#lines.set(session, line);
    try {
      await line.run(
        () => this.#read(recovery),
        () => this.#isWanted(recovery),
      );
    } catch (error) {
      if (subscription.pending) throw error;
    } finally {
      // Most sessions recover once; without this each would keep its line until it ends.
      if (line.idle) this.#lines.delete(session);
    }
  }

  #isWanted({ session, subscription, beganAt }: Recovery): boolean {
    const isLate = this.#clock.monotonic() >= beganAt + TIMEOUT_MS;
    return session.open && subscription.pending && !isLate;
  }

  async #read(recovery: Recovery): Promise<void> {
    const { session, subscription, since, beganAt } = recovery;
    const { channel } = subscription;
    const ask = () => {
      subscription.held?.beginReading();
      const bytes = Math.min(session.roomBytes, this.#page.bytes);
      return this.#reader.broker.history(channel, since, { ...this.#page, bytes });
    };
    const page = await this.#reader.read(ask, beganAt, () => this.#isWanted(recovery));
    // A history that can never be read does not reach back to any cursor.
    if (page === undefined) {
      subscription.giveUpRecovery();
      return;
    }
    // Frames are larger than JSON.
    const fits = !page.complete || session.canHold(session.bytesOf(page.publications));
    subscription.replay(
      fits ? page : { ...page, complete: false, tooLarge: true, publications: [] },
    );
  }
}
