import type { GrantVerifier, RoomGrant } from '@leque/core';
import { ProtocolError } from '@leque/protocol';
import { GRANT_KEY_SOURCES } from '../keys/grant-keys.ts';
import { JwtVerification, type JwtVerificationDeps } from '../verifying/jwt-verification.ts';
import { GRANT_WORDS } from '../verifying/refusal.ts';
import { roomGrantOf } from './grant-claims.ts';

/** A grant counts until it ends, or until the keys change: clients present it again and again. */
const CACHE = { entries: 20_000, length: 8_000_000, trustedMs: Number.POSITIVE_INFINITY };

/** Verifies grants with the keys of `source`. */
export function grantVerifier(deps: JwtVerificationDeps): GrantVerifier {
  const kind = { words: GRANT_WORDS, cache: CACHE, read: roomGrantOf };
  const verification = new JwtVerification<RoomGrant>(kind, deps);
  // A session ends with its grant at the very second, so the tolerance of tokens would open a room for no time.
  const counts = ({ expiresAt }: RoomGrant) => expiresAt > deps.clock.now();
  return {
    async verify(grant) {
      const verified = await verification.verify(grant);
      if (counts(verified)) return verified;
      throw new ProtocolError('grant_expired', 'grant has expired');
    },
    recall(grant) {
      const known = verification.recall(grant);
      return known !== undefined && counts(known) ? known : undefined;
    },
  };
}

/** Refuses every grant, where no key is configured. */
export const refusingGrantVerifier: GrantVerifier = {
  async verify() {
    const sources = GRANT_KEY_SOURCES.join(', ');
    throw new ProtocolError(
      'grant_invalid',
      `this server has no key to verify grants with; it needs one of ${sources}`,
    );
  },
};
