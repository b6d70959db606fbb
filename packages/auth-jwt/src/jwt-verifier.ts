import {
  type Clock,
  type Identity,
  systemClock,
  type Telemetry,
  type TokenVerifier,
} from '@leque/core';
import { MAX_TOKEN_LENGTH, ProtocolError } from '@leque/protocol';
import {
  decodeProtectedHeader,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
  jwtVerify,
} from 'jose';
import { type ClaimNames, identityOf } from './claims.ts';
import { type KeySource, keySourceOf, type VerifierSettings } from './key-source.ts';
import { refusalOf } from './refusal.ts';
import { KEY_SOURCES } from './settings.ts';
import { TokenCache } from './token-cache.ts';

const DEFAULT_TOLERANCE_S = 5;

/** The rules for the claims of a token. */
interface ClaimRules {
  readonly options: JWTVerifyOptions;
  readonly names: ClaimNames;
}

/**
 * Verifies tokens with the configured key source. Without a key source every token is refused.
 * @param telemetry is told when keys cannot be fetched or used
 * @throws Error when a configured key is not usable
 */
export function createJwtVerifier(
  settings: VerifierSettings,
  clock: Clock = systemClock,
  telemetry?: Telemetry,
): TokenVerifier {
  const source = keySourceOf(settings, { clock, telemetry });
  if (source === undefined) return { verify: refuseAll };
  const names = claimNames(settings);
  const cache = new TokenCache(clock, toleranceOf(settings) * 1000);
  return {
    async verify(token) {
      const keySet = source.keySet();
      const known = cache.get(token, keySet);
      if (known !== undefined) return known;
      const options = claimOptions(settings, clock);
      const identity = await verify(token, source, { options, names });
      cache.add(token, identity, keySet);
      return identity;
    },
    recall: (token) => cache.get(token, source.keySet()),
  };
}

function claimNames(settings: VerifierSettings): ClaimNames {
  const { JWT_USER_CLAIM: user, JWT_PROJECTS_CLAIM: projects = 'projects' } = settings;
  return { user, projects, scope: settings.JWT_SCOPE_CLAIM ?? 'scope' };
}

function toleranceOf({ JWT_CLOCK_TOLERANCE: seconds = DEFAULT_TOLERANCE_S }: VerifierSettings) {
  return seconds;
}

function claimOptions(settings: VerifierSettings, clock: Clock): JWTVerifyOptions {
  const { JWT_ISSUER: issuer, JWT_AUDIENCE: audience } = settings;
  return {
    currentDate: new Date(clock.now()),
    clockTolerance: toleranceOf(settings),
    requiredClaims: ['exp'],
    ...(issuer !== undefined && { issuer }),
    ...(audience !== undefined && { audience }),
  };
}

async function verify(
  token: string,
  source: KeySource,
  { options, names }: ClaimRules,
): Promise<Identity> {
  if (token.length > MAX_TOKEN_LENGTH) {
    throw new ProtocolError(
      'token_malformed',
      `token is longer than ${MAX_TOKEN_LENGTH} characters`,
    );
  }
  const algorithms = [...new Set(source.keys.flatMap((key) => key.algorithms))];
  try {
    return identityOf(await claimsOf(token, source, { ...options, algorithms }), names);
  } catch (error) {
    throw refusalOf(error, token, algorithms);
  }
}

/** Tries each key that can have signed the token: while keys are rotated, there are two. */
async function claimsOf(
  token: string,
  { keys }: KeySource,
  options: JWTVerifyOptions,
): Promise<JWTPayload> {
  const algorithm = tryReadAlgorithm(token);
  const fitting = keys.filter(({ algorithms }) => algorithms.includes(algorithm ?? ''));
  // Without a fitting key the first one serves to refuse the token.
  const candidates = fitting.length > 0 ? fitting : keys.slice(0, 1);
  for (const { getKey } of candidates.slice(0, -1)) {
    try {
      return await claimsByKey(token, getKey, options);
    } catch (error) {
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw error;
    }
  }
  const { getKey = noKey } = candidates.at(-1) ?? {};
  return await claimsByKey(token, getKey, options);
}

async function noKey(): Promise<never> {
  throw new errors.JWKSNoMatchingKey();
}

function tryReadAlgorithm(token: string): string | undefined {
  try {
    return decodeProtectedHeader(token).alg;
  } catch {
    return undefined;
  }
}

async function claimsByKey(
  token: string,
  getKey: JWTVerifyGetKey,
  options: JWTVerifyOptions,
): Promise<JWTPayload> {
  try {
    return (await jwtVerify(token, getKey, options)).payload;
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    return claimsByAnyKey(token, error, options);
  }
}

/** A token without a `kid` may have been signed with any of several keys. */
async function claimsByAnyKey(
  token: string,
  keys: errors.JWKSMultipleMatchingKeys,
  options: JWTVerifyOptions,
): Promise<JWTPayload> {
  for await (const key of keys) {
    try {
      return (await jwtVerify(token, key, options)).payload;
    } catch (error) {
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw error;
    }
  }
  throw new errors.JWSSignatureVerificationFailed();
}

async function refuseAll(): Promise<never> {
  const sources = KEY_SOURCES.join(', ');
  throw new ProtocolError(
    'token_signature_invalid',
    `this server has no key to verify tokens with; it needs one of ${sources}`,
  );
}
