import type { Clock } from '@leque/core';
import { MAX_TOKEN_LENGTH } from '@leque/protocol';
import type { JWTPayload, JWTVerifyOptions } from 'jose';
import type { KeySource, VerifierSettings } from '../keys/key-source.ts';
import { type RefusalWords, refusalOf, tooLong } from './refusal.ts';
import { type CacheLimits, VerifiedCache } from './verified-cache.ts';
import { verifyClaims } from './verify-claims.ts';

const DEFAULT_TOLERANCE_S = 5;

/** A kind says what its JWTs prove, and how their refusals are worded. */
export interface JwtKind<T extends { readonly expiresAt: number | undefined }> {
  readonly words: RefusalWords;
  readonly cache: Omit<CacheLimits, 'toleranceMs'>;
  /** @throws ProtocolError that names the wrong claim */
  readonly read: (claims: JWTPayload) => T;
}

export interface JwtVerificationDeps {
  readonly source: KeySource;
  readonly settings: VerifierSettings;
  readonly clock: Clock;
}

/** Verifies JWTs of one kind, and remembers those that are valid. */
export class JwtVerification<T extends { readonly expiresAt: number | undefined }> {
  readonly #kind: JwtKind<T>;
  readonly #deps: JwtVerificationDeps;
  readonly #cache: VerifiedCache<T>;

  constructor(kind: JwtKind<T>, deps: JwtVerificationDeps) {
    this.#kind = kind;
    this.#deps = deps;
    const toleranceMs = toleranceOf(deps.settings) * 1000;
    this.#cache = new VerifiedCache(deps.clock, { ...kind.cache, toleranceMs });
  }

  /** @throws ProtocolError that says why the JWT is refused */
  async verify(jwt: string): Promise<T> {
    const keySet = this.#deps.source.keySet();
    const known = this.#cache.get(jwt, keySet);
    if (known !== undefined) return known;
    const verified = await this.#verify(jwt);
    this.#cache.add(jwt, verified, keySet);
    return verified;
  }

  /** Undefined for a JWT that has to be verified. */
  recall(jwt: string): T | undefined {
    return this.#cache.get(jwt, this.#deps.source.keySet());
  }

  async #verify(jwt: string): Promise<T> {
    const { words, read } = this.#kind;
    const { source, settings, clock } = this.#deps;
    if (jwt.length > MAX_TOKEN_LENGTH) throw tooLong(words, MAX_TOKEN_LENGTH);
    const algorithms = [...new Set(source.keys.flatMap((key) => key.algorithms))];
    try {
      const options = { ...claimOptions(settings, clock), algorithms };
      return read(await verifyClaims(jwt, source, options));
    } catch (error) {
      throw refusalOf(error, { jwt, algorithms }, words);
    }
  }
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
