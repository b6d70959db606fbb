import {
  type Clock,
  type Identity,
  systemClock,
  type Telemetry,
  type TokenVerifier,
} from '@leque/core';
import { ProtocolError } from '@leque/protocol';
import {
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
  jwtVerify,
} from 'jose';
import { identityOf } from './claims.ts';
import { type RemoteKeysDeps, remoteKeys } from './jwks.ts';
import { CURVE_ALGORITHMS, EDDSA_ALGORITHMS, RSA_ALGORITHMS, readPublicKey } from './public-key.ts';
import { refusalOf } from './refusal.ts';
import { type AuthSettings, KEY_SOURCES } from './settings.ts';
import { TokenCache } from './token-cache.ts';

const DEFAULT_TOLERANCE_S = 5;
/** Longer tokens do not fit the head of a request, or a command. */
const MAX_TOKEN_LENGTH = 8_192;

export type VerifierSettings = Partial<Omit<AuthSettings, 'AUTH_MODE' | 'NODE_ENV'>>;

/** A key with the algorithms that its type allows. A token never chooses how it is verified. */
interface KeySource {
  readonly getKey: JWTVerifyGetKey;
  readonly algorithms: readonly string[];
  /** Identity of the current keys; another object after they have changed. */
  readonly keySet: () => unknown;
}

/**
 * Verifies tokens with the configured key source. Without a key source every token is refused.
 * @param telemetry is told when keys cannot be fetched or used
 * @throws Error when JWT_PUBLIC_KEY is not usable
 */
export function createJwtVerifier(
  settings: VerifierSettings,
  clock: Clock = systemClock,
  telemetry?: Telemetry,
): TokenVerifier {
  const source = keySourceOf(settings, { clock, telemetry });
  if (source === undefined) return { verify: refuseAll };
  const cache = new TokenCache(clock, toleranceOf(settings) * 1000);
  return {
    async verify(token) {
      const keySet = source.keySet();
      const known = cache.get(token, keySet);
      if (known !== undefined) return known;
      const identity = await verify(token, source, claimOptions(settings, clock));
      cache.add(token, identity, keySet);
      return identity;
    },
    recall: (token) => cache.get(token, source.keySet()),
  };
}

function keySourceOf(settings: VerifierSettings, deps: RemoteKeysDeps): KeySource | undefined {
  const { JWT_SECRET: secret, JWT_PUBLIC_KEY: pem, JWKS_URL: url } = settings;
  if (secret !== undefined) {
    const key = new TextEncoder().encode(secret);
    return { getKey: async () => key, algorithms: ['HS256'], keySet: () => key };
  }
  if (pem !== undefined) {
    const { key, algorithms } = readPublicKey(pem);
    return { getKey: async () => key, algorithms, keySet: () => key };
  }
  if (url === undefined) return undefined;
  const algorithms = [...RSA_ALGORITHMS, ...Object.values(CURVE_ALGORITHMS), ...EDDSA_ALGORITHMS];
  return { ...remoteKeys(url, deps), algorithms };
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
  { getKey, algorithms }: KeySource,
  options: JWTVerifyOptions,
): Promise<Identity> {
  if (token.length > MAX_TOKEN_LENGTH) {
    throw new ProtocolError(
      'token_malformed',
      `token is longer than ${MAX_TOKEN_LENGTH} characters`,
    );
  }
  try {
    return identityOf(await claimsOf(token, getKey, { ...options, algorithms: [...algorithms] }));
  } catch (error) {
    throw refusalOf(error, token, algorithms);
  }
}

async function claimsOf(
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
