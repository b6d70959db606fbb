import { type Position, ProtocolError } from '@leque/protocol';
import type { DeliveryJournal } from '../journal/delivery-journal.ts';
import type { Clock } from '../lib/clock.ts';
import { ConcurrencyLimit } from '../lib/concurrency-limit.ts';
import { Pause } from '../lib/deadline.ts';
import { RateWindow } from '../lib/rate-window.ts';
import { type Broker, MAX_HISTORY_BYTES } from '../ports/broker.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { Session } from './session.ts';
import type { Subscription } from './subscription.ts';

export interface RecoveryDeps {
  readonly broker: Pick<Broker, 'history'>;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  /** Remembers recovered publications; undefined when the journal is switched off. */
  readonly journal: Pick<DeliveryJournal, 'noteRecovered'> | undefined;
}

/** One read at a time for each session; a resume never has as many cursors as may wait. */
const LINE = { running: 1, waiting: 512 };
/** How long a history may wait for earlier reads of the same session. */
const TIMEOUT_MS = 10_000;
/** How long a history that cannot be read is tried again, and the pauses between the attempts. */
const RETRY_FOR_MS = 5000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 800;
/** Reads per second that a session may cause for histories that turn out too large for it. */
const REJECTED_PER_SECOND = 4;

/** Recoveries since the start of the process, by outcome. */
export interface RecoveryOutcomes {
  recovered: number;
  not_recovered: number;
  failed: number;
}

interface Reader {
  readonly line: ConcurrencyLimit;
  /** Counts reads that were rejected as too large; created for the first of them. */
  rejected: RateWindow | undefined;
}

interface Recovery {
  readonly session: Session;
  readonly subscription: Subscription;
  readonly since: Position;
  /** When it began, on the monotonic clock. */
  readonly beganAt: number;
}

/**
 * Recovers the publications that sessions missed. The histories of one session are read one after
 * the other, each limited to the room that is left (MEM). A session that repeatedly asks for more
 * than it can take gets no more reads, so that it does not slow down others.
 */
export class Recoveries {
  readonly #deps: RecoveryDeps;
  readonly #maxRecovered: number;
  readonly #outcomes: RecoveryOutcomes;
  readonly #readers = new WeakMap<Session, Reader>();

  /** @param outcomes incremented for each recovery */
  constructor(deps: RecoveryDeps, maxRecovered: number, outcomes: RecoveryOutcomes) {
    this.#deps = deps;
    this.#maxRecovered = maxRecovered;
    this.#outcomes = outcomes;
  }

  /**
   * Finds out the outcome of the cursor that the subscription has been presented.
   * @throws ProtocolError `unavailable`: it is unknown
   */
  async recover(session: Session, subscription: Subscription, since: Position): Promise<void> {
    const beganAt = this.#deps.clock.monotonic();
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
    const reader = this.#readerOf(session);
    try {
      await reader.line.run(
        () => this.#tryToReplay(recovery),
        () => this.#isWanted(recovery, TIMEOUT_MS),
      );
    } catch (error) {
      if (subscription.pending) throw error;
    } finally {
      // Most sessions recover once; without this each would keep its reader until it ends.
      if (reader.line.idle && reader.rejected === undefined) this.#readers.delete(session);
    }
  }

  #isWanted({ session, subscription, beganAt }: Recovery, forMs: number): boolean {
    return session.open && subscription.pending && this.#deps.clock.monotonic() < beganAt + forMs;
  }

  /** Tries again for a while: a broker that is away for a moment is no reason to reconnect. */
  async #tryToReplay(recovery: Recovery): Promise<void> {
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LONGEST_PAUSE_MS, 2 * pauseMs)) {
      try {
        return await this.#replay(recovery);
      } catch (error) {
        if (isSpoilt(error)) return this.#giveUp(recovery, error);
        if (!this.#isWanted(recovery, RETRY_FOR_MS - pauseMs)) throw error;
      }
      await new Pause(this.#deps.clock).wait(pauseMs);
    }
  }

  /** A history that can never be read does not reach back to any cursor. */
  #giveUp({ subscription }: Recovery, error: Error): void {
    this.#deps.telemetry.report({ type: 'failure', where: 'read history', error });
    subscription.giveUpRecovery();
  }

  async #replay({ session, subscription, since }: Recovery): Promise<void> {
    const reader = this.#readerOf(session);
    const isAllowed = reader.rejected === undefined || reader.rejected.take(0) === 'ok';
    const bytes = isAllowed ? Math.min(session.roomBytes, MAX_HISTORY_BYTES) : 0;
    const extent = { publications: this.#maxRecovered, bytes };
    const page = await this.#deps.broker.history(subscription.channel, since, extent);
    if (page.readAndRejected) {
      reader.rejected ??= new RateWindow(this.#deps.clock, REJECTED_PER_SECOND);
      reader.rejected.take();
    }
    this.#deps.journal?.noteRecovered(page.publications);
    // Frames are larger than JSON. A client without room for them would be closed as a slow consumer,
    // come back, and so on.
    const fits = session.canHold(session.bytesOf(page.publications));
    const replayable = page.complete && fits;
    subscription.replay(replayable ? page : { ...page, complete: false, publications: [] });
  }

  #readerOf(session: Session): Reader {
    const existing = this.#readers.get(session);
    if (existing !== undefined) return existing;
    const reader: Reader = { line: new ConcurrencyLimit(LINE), rejected: undefined };
    this.#readers.set(session, reader);
    return reader;
  }
}

function isSpoilt(error: unknown): error is ProtocolError {
  return error instanceof ProtocolError && error.code === 'internal';
}
