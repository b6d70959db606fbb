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
import { MAX_TOKEN_LENGTH, ProtocolError } from '@leque/protocol';
import { RequestError } from '@leque/service';
import type { FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify';
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

/**
 * An API key may publish everywhere, make grants and read statistics, but reads no events, not even those
 * of `all`.
 */
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
    scopes: ['publish:all', 'grant', 'stats'],
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
  readonly bucket: Bucket;
  readonly caller: Caller;
}

interface Presented {
  readonly credential: string | undefined;
  /** `key` accepts API keys only, `bearer` also tokens. */
  readonly as: 'key' | 'bearer';
}

interface Exchange {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** Identifies callers by token or API key, charges their rate limits, and checks their rights. */
export class Authority {
  readonly #deps: AuthorityDeps;
  readonly #mode: 'open' | 'required';
  readonly #keys: readonly ApiKey[];
  /** Accepted keys by their text, so that a key is hashed once. */
  readonly #presented = new Map<string, ApiKey>();

  constructor({ mode, apiKeys }: AuthorityOptions, deps: AuthorityDeps) {
    this.#deps = deps;
    this.#mode = mode;
    this.#keys = apiKeys.map((key, index) => newKey(key, index));
  }

  /**
   * @returns a hook that refuses callers without the scope before their body is read; it calls `done`
   *   synchronously for a credential that was accepted lately
   */
  require(scope: Scope): onRequestHookHandler {
    const admit = (request: FastifyRequest, reply: FastifyReply, identity: Identity) => {
      this.#charge(request, reply, identity);
      if (!identity.grants.has(scope)) {
        throw new ProtocolError('forbidden', `the scope ${scope} is needed`);
      }
      request.caller = this.#callerOf(identity);
    };
    return (request, reply, done) => {
      const presented = presentedIn(request);
      const known = this.#recall(presented);
      if (known !== undefined) {
        admit(request, reply, known);
        done();
        return;
      }
      this.#identityOf(presented, { request, reply })
        .then((identity) => admit(request, reply, identity))
        .then(() => done(), done);
    };
  }

  /**
   * Identifies the caller, and charges the request to its rate limit.
   * @throws ProtocolError `token_…`, `rate_limited`; RequestError `api_key_invalid`
   */
  async identify(request: FastifyRequest, reply: FastifyReply): Promise<Identity> {
    const presented = presentedIn(request);
    const known = this.#recall(presented);
    const identity = known ?? (await this.#identityOf(presented, { request, reply }));
    this.#charge(request, reply, identity);
    return identity;
  }

  #charge(request: FastifyRequest, reply: FastifyReply, identity: Identity): void {
    request.bucket = this.#bucketOf(identity, request);
    this.#deps.rates.charge(request, reply, 1);
  }

  /** The identity of a credential that was accepted lately; undefined for one that must be checked. */
  #recall({ credential, as }: Presented): Identity | undefined {
    if (credential === undefined) return undefined;
    const key = this.#presented.get(credential);
    if (key !== undefined) return this.#acceptedKey(key);
    return as === 'bearer' ? this.#deps.verifier.recall?.(credential) : undefined;
  }

  async #identityOf(
    { credential, as }: Presented,
    { request, reply }: Exchange,
  ): Promise<Identity> {
    if (credential === undefined) return this.#withoutCredentials();
    const addressOf = () => this.#deps.addressOf(request.raw);
    return await this.#deps.wrongCredentials.verify({ addressOf, reply, credential }, async () => {
      const known = this.#findKey(credential);
      if (known !== undefined) return this.#acceptedKey(known);
      return as === 'bearer' ? await this.#verify(credential) : this.#unknownKey();
    });
  }

  /** Verifies a bearer that is not an API key; one that is not a token may have been meant as a key. */
  async #verify(token: string): Promise<Identity> {
    try {
      return await this.#deps.verifier.verify(token);
    } catch (error) {
      if (!isMalformed(error) || token.length > MAX_TOKEN_LENGTH) throw error;
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
    const found = this.#keys.reduce<ApiKey | undefined>(
      (match, key) => (timingSafeEqual(key.hash, candidateHash) ? key : match),
      undefined,
    );
    if (found !== undefined) this.#presented.set(candidate, found);
    return found;
  }

  #keyOf(identity: Identity): ApiKey | undefined {
    return this.#keys.find((key) => key.identity === identity);
  }

  /** Users have a limit each, wherever they are; callers without a name share that of their address. */
  #bucketOf(identity: Identity, request: FastifyRequest): Bucket {
    const key = this.#keyOf(identity);
    if (key !== undefined) return key.bucket;
    if (identity.userId !== undefined) return { kind: 'user', id: identity.userId };
    return { kind: 'address', id: this.#deps.addressOf(request.raw) };
  }

  /** Tokens without a user, and callers without a token, are one caller each. */
  #callerOf(identity: Identity): Caller {
    const key = this.#keyOf(identity);
    if (key !== undefined) return key.caller;
    const { userId, grants, expiresAt } = identity;
    const nameless = expiresAt === undefined ? 'an anonymous caller' : 'a service';
    const name = userId === undefined ? nameless : `user ${userId}`;
    return { name, owner: name, grants };
  }
}

function isMalformed(error: unknown): error is ProtocolError {
  return error instanceof ProtocolError && error.code === 'token_malformed';
}

function presentedIn({ headers }: FastifyRequest): Presented {
  const key = headers['x-api-key'];
  if (key !== undefined) return { credential: String(key), as: 'key' };
  return { credential: bearerToken(headers.authorization), as: 'bearer' };
}

function newKey(key: string, index: number): ApiKey {
  const digest = sha256(key);
  const identity = { ...API_KEY };
  const owner = `key ${digest.toString('base64url')}`;
  return {
    hash: digest,
    identity,
    bucket: { kind: 'key', id: String(index) },
    caller: { name: 'an API key', owner, grants: identity.grants },
  };
}

function sha256(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}
