import { ProtocolError } from '@leque/protocol';
import type { GrantVerifier } from '../ports/grant-verifier.ts';
import type { TokenVerifier } from '../ports/token-verifier.ts';

/**
 * Checks of credentials since the start of the process: by `accepted` and `grant_accepted`, or the code of
 * the refusal.
 */
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
      return await counted(verifier.verify(token), { outcomes, accepted: 'accepted' });
    },
    recall(token) {
      const identity = verifier.recall?.(token);
      if (identity !== undefined) countOutcome(outcomes, 'accepted');
      return identity;
    },
  };
}

/** Counts the results of a verifier of grants in `outcomes`. */
export function countedGrantVerifier(
  verifier: GrantVerifier,
  outcomes: AuthenticationOutcomes,
): GrantVerifier {
  return {
    verify: (grant) => counted(verifier.verify(grant), { outcomes, accepted: 'grant_accepted' }),
  };
}

interface Counting {
  readonly outcomes: AuthenticationOutcomes;
  /** The outcome that is counted for a success. */
  readonly accepted: string;
}

async function counted<T>(verifying: Promise<T>, { outcomes, accepted }: Counting): Promise<T> {
  try {
    const verified = await verifying;
    countOutcome(outcomes, accepted);
    return verified;
  } catch (error) {
    countOutcome(outcomes, error instanceof ProtocolError ? error.code : 'failed');
    throw error;
  }
}
