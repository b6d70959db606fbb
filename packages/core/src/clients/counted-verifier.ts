import { ProtocolError } from '@leque/protocol';
import type { TokenVerifier } from '../ports/token-verifier.ts';

/** Checks of credentials since the start of the process: by `accepted`, or the code of the refusal. */
export type AuthenticationOutcomes = Record<string, number>;

export function countOutcome(outcomes: AuthenticationOutcomes, outcome: string): void {
  outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
}

/** Counts the results of a verifier in `outcomes`. */
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
    recall(token) {
      const identity = verifier.recall?.(token);
      if (identity !== undefined) countOutcome(outcomes, 'accepted');
      return identity;
    },
  };
}
