import { ProtocolError } from '@leque/protocol';
import type { DeliveryJournal } from '../journal/delivery-journal.ts';
import type { Clock } from '../lib/clock.ts';
import { Pause } from '../lib/deadline.ts';
import type { Broker, HistoryPage } from '../ports/broker.ts';
import type { Telemetry } from '../ports/telemetry.ts';

export interface HistoryReaderDeps {
  readonly broker: Pick<Broker, 'history' | 'pageAfter'>;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  /** Remembers recovered publications; undefined when the journal is switched off. */
  readonly journal: Pick<DeliveryJournal, 'noteRecovered'> | undefined;
}

/** How long a history that cannot be read is tried again, and the pauses between the attempts. */
const RETRY_FOR_MS = 5000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 800;

/** Reads histories for sessions, and again for a while: a broker may be away for a moment. */
export class HistoryReader {
  readonly #deps: HistoryReaderDeps;

  constructor(deps: HistoryReaderDeps) {
    this.#deps = deps;
  }

  get broker(): HistoryReaderDeps['broker'] {
    return this.#deps.broker;
  }

  /**
   * @param since when the caller began to wait, on the monotonic clock
   * @param isWanted whether the caller still needs the page
   * @returns undefined for a history that can never be read
   * @throws ProtocolError `unavailable`
   */
  async read(
    ask: () => Promise<HistoryPage>,
    since: number,
    isWanted: () => boolean,
  ): Promise<HistoryPage | undefined> {
    const { clock, journal } = this.#deps;
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LONGEST_PAUSE_MS, 2 * pauseMs)) {
      try {
        const page = await ask();
        journal?.noteRecovered(page.publications);
        return page;
      } catch (error) {
        if (isSpoilt(error)) return this.#report(error);
        const isLate = clock.monotonic() + pauseMs >= since + RETRY_FOR_MS;
        if (isLate || !isWanted()) throw error;
      }
      await new Pause(clock).wait(pauseMs);
    }
  }

  #report(error: Error): undefined {
    this.#deps.telemetry.report({ type: 'failure', where: 'read history', error });
  }
}

function isSpoilt(error: unknown): error is ProtocolError {
  return error instanceof ProtocolError && error.code === 'internal';
}
