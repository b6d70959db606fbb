import { CLOSE } from '@leque/protocol';
import type { Session } from './session.ts';

/**
 * Closes sessions whose tokens have expired. It walks all sessions only when the next one is due.
 */
export class TokenEnds {
  #next = Number.POSITIVE_INFINITY;

  /**
   * @param expiresAt end of a session's token in milliseconds since the Unix epoch; undefined for
   * none
   */
  expect(expiresAt: number | undefined): void {
    this.#next = Math.min(this.#next, expiresAt ?? Number.POSITIVE_INFINITY);
  }

  closeExpired(sessions: Iterable<Session>, now: number): void {
    if (now < this.#next) return;
    this.#next = Number.POSITIVE_INFINITY;
    for (const session of sessions) {
      const { expiresAt } = session.identity;
      if (expiresAt === undefined || expiresAt > now) this.expect(expiresAt);
      else session.close(CLOSE.tokenExpired, 'token expired');
    }
  }
}
