import { CLOSE } from '@leque/protocol';
import type { Cancel, Clock } from '../lib/clock.ts';
import type { RecoveringSession } from './recovering-session.ts';

/** The kernel does not report that it has room again, so all waiting sessions are checked together. */
const ROUND_MS = 20;
/** A client that takes nothing for so long is closed as a slow consumer. */
const STALLED_MS = 30_000;

interface Waiting {
  readonly isDrained: () => boolean;
  readonly resume: () => void;
  /** The fewest bytes that were unsent so far, and when that was. */
  unsentBytes: number;
  movedAt: number;
}

/** Waits until clients have read what they were sent. */
export class Drains {
  readonly #clock: Clock;
  readonly #waiting = new Map<RecoveringSession, Waiting>();
  #cancelRound: Cancel | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Settles when `isDrained` is true, and when the session has ended. */
  async wait(session: RecoveringSession, isDrained: () => boolean): Promise<void> {
    session.flush();
    if (!session.open || isDrained()) return;
    const { promise, resolve: resume } = Promise.withResolvers<void>();
    const { unsentBytes } = session;
    this.#waiting.set(session, {
      isDrained,
      resume,
      unsentBytes,
      movedAt: this.#clock.monotonic(),
    });
    this.#checkLater();
    await promise;
  }

  /** The session has ended. */
  end(session: RecoveringSession): void {
    const waiting = this.#waiting.get(session);
    if (waiting !== undefined) this.#resume(session, waiting);
  }

  close(): void {
    this.#cancelRound?.();
    for (const [session, waiting] of this.#waiting) this.#resume(session, waiting);
  }

  #checkLater(): void {
    this.#cancelRound ??= this.#clock.after(ROUND_MS, () => {
      this.#cancelRound = undefined;
      for (const [session, waiting] of this.#waiting) this.#check(session, waiting);
      if (this.#waiting.size > 0) this.#checkLater();
    });
  }

  #check(session: RecoveringSession, waiting: Waiting): void {
    const now = this.#clock.monotonic();
    if (session.unsentBytes < waiting.unsentBytes) {
      waiting.unsentBytes = session.unsentBytes;
      waiting.movedAt = now;
    }
    if (session.open && !waiting.isDrained() && now < waiting.movedAt + STALLED_MS) return;
    if (session.open && !waiting.isDrained()) {
      session.close(CLOSE.slowConsumer, 'slow consumer: it reads nothing of what it has missed');
    }
    this.#resume(session, waiting);
  }

  #resume(session: RecoveringSession, { resume }: Waiting): void {
    this.#waiting.delete(session);
    resume();
  }
}
