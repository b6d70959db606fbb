import type { TokenVerifier } from '../ports/token-verifier.ts';
import type { Admission } from './admission.ts';
import type { KnownTokens } from './known-tokens.ts';

/**
 * Verifies tokens no faster than `admission` lets them in, because a signature is the dearest part
 * of a join. Tokens that were verified before do not wait for others.
 */
export function pacedVerifier(
  verifier: TokenVerifier,
  admission: Admission,
  known: KnownTokens,
): TokenVerifier {
  return {
    async verify(token) {
      await admission.enter(known.has(token) ? 'known' : 'newcomers');
      try {
        const identity = await verifier.verify(token);
        known.add(token);
        return identity;
      } catch (error) {
        known.delete(token);
        throw error;
      }
    },
  };
}
