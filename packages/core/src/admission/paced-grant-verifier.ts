import type { GrantVerifier } from '../ports/grant-verifier.ts';
import type { Admission } from './admission.ts';

/**
 * Verifies grants no faster than `admission` lets them in, because a client that is connected may present
 * any number of forged ones. A grant that was verified before does not wait.
 */
export function pacedGrantVerifier(verifier: GrantVerifier, admission: Admission): GrantVerifier {
  return {
    async verify(grant) {
      const known = verifier.recall?.(grant);
      if (known !== undefined) return known;
      await admission.enter('newcomers');
      return await verifier.verify(grant);
    },
  };
}
