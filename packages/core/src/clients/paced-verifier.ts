import type { TokenVerifier } from '../ports/token-verifier.ts';
import type { Admission } from './admission.ts';

/** Verifies tokens no faster than `admission` lets them in: a signature is the dearest part of a join. */
export function pacedVerifier(verifier: TokenVerifier, admission: Admission): TokenVerifier {
  return {
    async verify(token) {
      await admission.enter();
      return await verifier.verify(token);
    },
  };
}
