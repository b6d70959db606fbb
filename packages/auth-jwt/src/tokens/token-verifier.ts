import type { Identity, TokenVerifier } from '@leque/core';
import { ProtocolError } from '@leque/protocol';
import { decodeJwt } from 'jose';
import type { VerifierSettings } from '../keys/key-source.ts';
import { KEY_SOURCES } from '../keys/settings.ts';
import { seemsGrant } from '../verifying/common-claims.ts';
import { JwtVerification, type JwtVerificationDeps } from '../verifying/jwt-verification.ts';
import { TOKEN_WORDS } from '../verifying/refusal.ts';
import { type ClaimNames, grantAsToken, identityOf } from './claims.ts';

/** A remote key set is refreshed when tokens are verified, so the cache must not hold them for long. */
const CACHE = { entries: 1_000, length: 4_000_000, trustedMs: 1_000 };

/** Verifies tokens with the keys of `source`. */
export function tokenVerifier(deps: JwtVerificationDeps): TokenVerifier {
  const names = claimNames(deps.settings);
  const read = (claims: Parameters<typeof identityOf>[0]) => identityOf(claims, names);
  const verification = new JwtVerification<Identity>(
    { words: TOKEN_WORDS, cache: CACHE, read },
    deps,
  );
  return {
    async verify(token) {
      try {
        return await verification.verify(token);
      } catch (error) {
        throw isForeignGrant(error, token) ? grantAsToken() : error;
      }
    },
    recall: (token) => verification.recall(token),
  };
}

/** Refuses every token, where no key is configured. */
export const refusingVerifier: TokenVerifier = {
  async verify() {
    const sources = KEY_SOURCES.join(', ');
    throw new ProtocolError(
      'token_signature_invalid',
      `this server has no key to verify tokens with; it needs one of ${sources}`,
    );
  },
};

function claimNames(settings: VerifierSettings): ClaimNames {
  const { JWT_USER_CLAIM: user, JWT_PROJECTS_CLAIM: projects = 'projects' } = settings;
  return { user, projects, scope: settings.JWT_SCOPE_CLAIM ?? 'scope' };
}

/** Whether a token was refused because it is a grant, for which other keys count. */
function isForeignGrant(error: unknown, token: string): boolean {
  if (!(error instanceof ProtocolError) || error.code !== 'token_signature_invalid') return false;
  try {
    return seemsGrant(decodeJwt(token));
  } catch {
    return false;
  }
}
