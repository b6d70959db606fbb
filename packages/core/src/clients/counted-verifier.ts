import { ProtocolError } from '@leque/protocol';
import type { TokenVerifier } from '../ports/token-verifier.ts';

/** How often credentials were `accepted`, or refused with which code; since the start of the process. */
export type AuthenticationOutcomes = Record<string, number>;

export function countOutcome(outcomes: AuthenticationOutcomes, outcome: string): void {
  outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
}

/** Counts what becomes of the tokens that are shown to a verifier. */
export function countedVerifier(
  verifier: TokenVerifier,
  outcomes: AuthenticationOutcomes,
): TokenVerifier {
  return {
    async verify(token) {
      try {
        const identity = await verifier.verify(token);
        countOutcome(outcomes, 'accepted');
        return identity;
      } catch (error) {
        countOutcome(outcomes, error instanceof ProtocolError ? error.code : 'failed');
        throw error;
      }
    },
  };
}
