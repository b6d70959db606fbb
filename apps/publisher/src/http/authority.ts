import { hash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import {
  type AuthenticationOutcomes,
  anonymous,
  bearerToken,
  countOutcome,
  Grants,
  type Identity,
  type Scope,
  type TokenVerifier,
} from '@leque/core';
import { ProtocolError } from '@leque/protocol';
import { RequestError } from '@leque/service';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Bucket, RateLimits } from './rate-limits.ts';
import type { WrongCredentials } from './wrong-credentials.ts';

/** Who makes a request. */
export interface Caller {
  /** The caller in words, for delivery reports. */
  readonly name: string;
  /** Whose idempotency keys the caller uses; equal for all requests of one caller. */
  readonly owner: string;
  readonly grants: Grants;
}

/** An API key may publish everywhere and read statistics, but reads no events, not even those of `all`. */
class ApiKeyGrants extends Grants {
  override covers(): boolean {
    return false;
  }
}

const API_KEY: Identity = {
  userId: undefined,
  grants: new ApiKeyGrants({
    userId: undefined,
    projects: [],
    scopes: ['publish:all', 'stats'],
  }),
  expiresAt: undefined,
};

declare module 'fastify' {
  interface FastifyRequest {
    /** Set where the route requires a scope. */
    caller: Caller;
  }
}

export interface AuthorityOptions {
  /** `open` serves callers without credentials; presented credentials are always verified. */
  readonly mode: 'open' | 'required';
  readonly apiKeys: readonly string[];
}

export interface AuthorityDeps {
  readonly verifier: TokenVerifier;
  /** Counts the outcomes of API keys; the verifier counts those of tokens. */
  readonly outcomes: AuthenticationOutcomes;
  readonly rates: RateLimits;
  readonly wrongCredentials: WrongCredentials;
  /** The address by which a client is limited. */
  readonly addressOf: (request: IncomingMessage) => string;
}

interface ApiKey {
  readonly hash: Buffer;
  readonly identity: Identity;
}

/** Identifies callers by token or API key, charges their rate limits, and checks their rights. */
export class Authority {
  readonly #deps: AuthorityDeps;
  readonly #mode: 'open' | 'required';
  readonly #keys: readonly ApiKey[];

  constructor({ mode, apiKeys }: AuthorityOptions, deps: AuthorityDeps) {
    this.#deps = deps;
    this.#mode = mode;
    this.#keys = apiKeys.map((key) => ({ hash: sha256(key), identity: { ...API_KEY } }));
  }

  /** @returns a hook that refuses callers without the scope before their body is read */
  require(scope: Scope): (request: FastifyRequest, reply: FastifyReply) => Promise<void> {
    return async (request, reply) => {
      const identity = await this.identify(request, reply);
      if (!identity.grants.has(scope)) {
        throw new ProtocolError('forbidden', `the scope ${scope} is needed`);
      }
      request.caller = this.#callerOf(identity);
    };
  }

  /**
   * Identifies the caller, and charges the request to its rate limit.
   * @throws ProtocolError `token_…`, `rate_limited`; RequestError `api_key_invalid`
   */
  async identify(request: FastifyRequest, reply: FastifyReply): Promise<Identity> {
    const addressOf = () => this.#deps.addressOf(request.raw);
    const identity = await this.#identityOf(request, { addressOf, reply });
    request.bucket = this.#bucketOf(identity, addressOf);
    this.#deps.rates.charge(request, reply, 1);
    return identity;
  }

  async #identityOf(
    { headers }: FastifyRequest,
    from: { readonly addressOf: () => string; readonly reply: FastifyReply },
  ): Promise<Identity> {
    const key = headers['x-api-key'];
    const credential = key === undefined ? bearerToken(headers.authorization) : String(key);
    if (credential === undefined) return this.#withoutCredentials();
    return await this.#deps.wrongCredentials.verify({ ...from, credential }, async () => {
      const known = this.#findKey(credential);
      if (known !== undefined) return this.#acceptedKey(known);
      return key === undefined ? await this.#verify(credential) : this.#unknownKey();
    });
  }

  /** Verifies a bearer that is not an API key; one that is not a token may have been meant as a key. */
  async #verify(token: string): Promise<Identity> {
    try {
      return await this.#deps.verifier.verify(token);
    } catch (error) {
      if (!(error instanceof ProtocolError && error.code === 'token_malformed')) throw error;
      const message = 'neither a known API key nor a JSON Web Token';
      throw new ProtocolError('token_malformed', message, { cause: error });
    }
  }

  #acceptedKey({ identity }: ApiKey): Identity {
    countOutcome(this.#deps.outcomes, 'accepted');
    return identity;
  }

  #unknownKey(): never {
    countOutcome(this.#deps.outcomes, 'api_key_invalid');
    throw new RequestError('api_key_invalid', 'X-API-Key holds no known API key');
  }

  #withoutCredentials(): Identity {
    if (this.#mode === 'open') return anonymous();
    throw new ProtocolError(
      'token_missing',
      'needs a token or an API key as Authorization: Bearer',
    );
  }

  /** Takes the same time for every key, so that timing discloses nothing about a guess. */
  #findKey(candidate: string): ApiKey | undefined {
    const candidateHash = sha256(candidate);
    return this.#keys.reduce<ApiKey | undefined>(
      (found, key) => (timingSafeEqual(key.hash, candidateHash) ? key : found),
      undefined,
    );
  }

  #keyNumber(identity: Identity): number {
    return this.#keys.findIndex((key) => key.identity === identity);
  }

  /** Users have a limit each, wherever they are; callers without a name share that of their address. */
  #bucketOf(identity: Identity, addressOf: () => string): Bucket {
    const key = this.#keyNumber(identity);
    if (key !== -1) return { kind: 'key', id: String(key) };
    if (identity.userId !== undefined) return { kind: 'user', id: identity.userId };
    return { kind: 'address', id: addressOf() };
  }

  /** Tokens without a user, and callers without a token, are one caller each. */
  #callerOf(identity: Identity): Caller {
    const { userId, grants, expiresAt } = identity;
    const key = this.#keys[this.#keyNumber(identity)];
    if (key !== undefined) {
      return { name: 'an API key', owner: `key ${key.hash.toString('base64url')}`, grants };
    }
    const nameless = expiresAt === undefined ? 'an anonymous caller' : 'a service';
    const name = userId === undefined ? nameless : `user ${userId}`;
    return { name, owner: name, grants };
  }
}

function sha256(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}
