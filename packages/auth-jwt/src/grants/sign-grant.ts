import type { GrantSigner } from '@leque/core';
import { SignJWT } from 'jose';
import { GRANT_KID, grantSigningKey } from '../keys/grant-keys.ts';
import type { VerifierSettings } from '../keys/key-source.ts';
import { GRANT_USE } from '../verifying/common-claims.ts';

/**
 * Signs grants that processes with the same settings accept.
 * @returns undefined where no secret is set: keys of tokens that only verify cannot sign
 */
export function createGrantSigner(settings: VerifierSettings): GrantSigner | undefined {
  const key = grantSigningKey(settings);
  if (key === undefined) return undefined;
  const { JWT_ISSUER: issuer, JWT_AUDIENCE: audience } = settings;
  return {
    async sign({ userId, projects, expiresAt }) {
      const grant = new SignJWT({ use: GRANT_USE, projects: [...projects] })
        .setProtectedHeader({ alg: 'HS256', typ: 'JWT', kid: GRANT_KID })
        .setSubject(userId)
        .setExpirationTime(Math.floor(expiresAt / 1000));
      if (issuer !== undefined) grant.setIssuer(issuer);
      if (audience !== undefined) grant.setAudience(audience);
      return grant.sign(key);
    },
  };
}
