import {
  decodeProtectedHeader,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
  jwtVerify,
  type ProtectedHeaderParameters,
} from 'jose';
import type { Key, KeySource } from '../keys/key-source.ts';

/**
 * Verifies a JWT with each key that can have signed it: while keys are rotated, there are two.
 * @throws the error of jose that says why no key fits, or which claim is wrong
 */
export async function verifyClaims(
  jwt: string,
  { keys }: Pick<KeySource, 'keys'>,
  options: JWTVerifyOptions,
): Promise<JWTPayload> {
  const { alg = '', kid } = tryReadHeader(jwt);
  const able = keys.filter(({ algorithms }) => algorithms.includes(alg));
  // The name of a key only says which one to try first.
  const isNamed = (key: Key) => key.kid === kid;
  const fitting = [...able.filter(isNamed), ...able.filter((key) => !isNamed(key))];
  // No key fits: the first one then refuses the JWT with a reason.
  const candidates = fitting.length > 0 ? fitting : keys.slice(0, 1);
  for (const { getKey } of candidates.slice(0, -1)) {
    try {
      return await claimsByKey(jwt, getKey, options);
    } catch (error) {
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw error;
    }
  }
  const { getKey = noKey } = candidates.at(-1) ?? {};
  return await claimsByKey(jwt, getKey, options);
}

async function noKey(): Promise<never> {
  throw new errors.JWKSNoMatchingKey();
}

function tryReadHeader(jwt: string): ProtectedHeaderParameters {
  try {
    return decodeProtectedHeader(jwt);
  } catch {
    return {};
  }
}

async function claimsByKey(
  jwt: string,
  getKey: JWTVerifyGetKey,
  options: JWTVerifyOptions,
): Promise<JWTPayload> {
  try {
    return (await jwtVerify(jwt, getKey, options)).payload;
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    return claimsByAnyKey(jwt, error, options);
  }
}

/** A JWT without a `kid` may have been signed with any of several keys. */
async function claimsByAnyKey(
  jwt: string,
  keys: errors.JWKSMultipleMatchingKeys,
  options: JWTVerifyOptions,
): Promise<JWTPayload> {
  for await (const key of keys) {
    try {
      return (await jwtVerify(jwt, key, options)).payload;
    } catch (error) {
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw error;
    }
  }
  throw new errors.JWSSignatureVerificationFailed();
}
