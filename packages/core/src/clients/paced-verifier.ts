import type { TokenVerifier } from '../ports/token-verifier.ts';
import type { Admission } from './admission.ts';

/** Verifies no more tokens than are admitted: a signature takes as much as anything else in a join. */
export function pacedVerifier(verifier: TokenVerifier, admission: Admission): TokenVerifier {
  return {
    async verify(token) {
      await admission.enter();
      return await verifier.verify(token);
    },
  };
}
