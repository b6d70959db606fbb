import type { Position } from '@leque/protocol';
import type { DeliveryJournal } from '../journal/delivery-journal.ts';
import type { Clock } from '../lib/clock.ts';
import { ConcurrencyLimit } from '../lib/concurrency-limit.ts';
import { RateWindow } from '../lib/rate-window.ts';
import { type Broker, MAX_HISTORY_BYTES } from '../ports/broker.ts';
import type { Session } from './session.ts';
import type { Subscription } from './subscription.ts';

export interface RecoveryDeps {
  readonly broker: Pick<Broker, 'history'>;
  readonly clock: Clock;
  /** Told of what is read for those who come back. */
  readonly journal: Pick<DeliveryJournal, 'noteRecovered'> | undefined;
}

/** One after the other; a resume never has as many cursors as may wait. */
const LINE = { running: 1, waiting: 512 };
/** How long a history may wait for those of the same session that are read before it. */
const TIMEOUT_MS = 10_000;
/** Histories that a session may have read in a second and not get, as they are too much for it. */
const IN_VAIN_PER_SECOND = 4;

/** How many there were since the start of the process. */
export interface RecoveryOutcomes {
  recovered: number;
  not_recovered: number;
  failed: number;
}

interface Reader {
  readonly line: ConcurrencyLimit;
  /** Made when there is something to count. */
  inVain: RateWindow | undefined;
}

/**
 * Brings sessions what they missed. Those of one session are read one after the other, each for the
 * room that is left (MEM); and whoever asks for too much again and again is no burden to others.
 */
export class Recoveries {
  readonly #ports: RecoveryDeps;
  readonly #maxRecovered: number;
  readonly #outcomes: RecoveryOutcomes;
  readonly #readers = new WeakMap<Session, Reader>();

  /** @param outcomes what became of them is counted here */
  constructor(ports: RecoveryDeps, maxRecovered: number, outcomes: RecoveryOutcomes) {
    this.#ports = ports;
    this.#maxRecovered = maxRecovered;
    this.#outcomes = outcomes;
  }

  /** @throws ProtocolError `unavailable` */
  async recover(session: Session, subscription: Subscription, since: Position): Promise<void> {
    try {
      await this.#recover(session, subscription, since);
      this.#outcomes[subscription.recovered === true ? 'recovered' : 'not_recovered'] += 1;
    } catch (error) {
      this.#outcomes.failed += 1;
      throw error;
    }
  }

  async #recover(session: Session, subscription: Subscription, since: Position): Promise<void> {
    if (subscription.recoverFromDelivered(since)) return;
    if (!subscription.rewind()) return subscription.giveUpRecovery();
    const { clock } = this.#ports;
    const until = clock.monotonic() + TIMEOUT_MS;
    const isWanted = () => session.open && clock.monotonic() < until;
    const reader = this.#readerOf(session);
    try {
      await reader.line.run(() => this.#replay(session, subscription, since), isWanted);
    } finally {
      // Most sessions recover once, and would hold it as long as they live.
      if (reader.line.idle && reader.inVain === undefined) this.#readers.delete(session);
    }
  }

  async #replay(session: Session, subscription: Subscription, since: Position): Promise<void> {
    const reader = this.#readerOf(session);
    const isAllowed = reader.inVain === undefined || reader.inVain.take(0) === 'ok';
    const bytes = isAllowed ? Math.min(session.roomBytes, MAX_HISTORY_BYTES) : 0;
    const extent = { publications: this.#maxRecovered, bytes };
    const page = await this.#ports.broker.history(subscription.channel, since, extent);
    if (page.readAndRejected) {
      reader.inVain ??= new RateWindow(this.#ports.clock, IN_VAIN_PER_SECOND);
      reader.inVain.take();
    }
    this.#ports.journal?.noteRecovered(page.publications);
    // As frames it is more. A client that it is too much for would be closed as a slow one, come
    // back, and so on.
    const fits = session.canHold(session.bytesOf(page.publications));
    const replayable = page.complete && fits;
    subscription.replay(since, replayable ? page : { ...page, complete: false, publications: [] });
  }

  #readerOf(session: Session): Reader {
    const existing = this.#readers.get(session);
    if (existing !== undefined) return existing;
    const reader: Reader = { line: new ConcurrencyLimit(LINE), inVain: undefined };
    this.#readers.set(session, reader);
    return reader;
  }
}
