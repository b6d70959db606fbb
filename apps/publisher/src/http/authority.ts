import { hash, timingSafeEqual } from 'node:crypto';
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
import type { FastifyRequest } from 'fastify';

/** An API key may publish and read statistics, but reads no events. */
const API_KEY: Identity = {
  userId: undefined,
  grants: new Grants({ userId: undefined, projects: [], scopes: ['publish', 'stats'] }),
  expiresAt: undefined,
};

declare module 'fastify' {
  interface FastifyRequest {
    /** The caller in words; empty unless the route requires a scope. */
    caller: string;
  }
}

export interface AuthorityOptions {
  readonly verifier: TokenVerifier;
  /** `open` serves callers without credentials; presented credentials are always verified. */
  readonly mode: 'open' | 'required';
  readonly apiKeys: readonly string[];
  /** Counts the outcomes of API keys; the verifier counts those of tokens. */
  readonly outcomes: AuthenticationOutcomes;
}

/** Identifies callers by token or API key, and checks what they may do. */
export class Authority {
  readonly #verifier: TokenVerifier;
  readonly #outcomes: AuthenticationOutcomes;
  readonly #mode: 'open' | 'required';
  readonly #keyHashes: readonly Buffer[];

  constructor({ verifier, mode, apiKeys, outcomes }: AuthorityOptions) {
    this.#outcomes = outcomes;
    this.#verifier = verifier;
    this.#mode = mode;
    this.#keyHashes = apiKeys.map(sha256);
  }

  /** @returns a hook that refuses callers without the scope before their body is read */
  require(scope: Scope): (request: FastifyRequest) => Promise<void> {
    return async (request) => {
      const identity = await this.identify(request);
      if (!identity.grants.has(scope)) {
        throw new ProtocolError('forbidden', `the scope ${scope} is needed`);
      }
      request.caller = nameOf(identity);
    };
  }

  /** @throws ProtocolError `token_…`, RequestError `api_key_invalid` */
  async identify({ headers }: FastifyRequest): Promise<Identity> {
    const key = headers['x-api-key'];
    if (key !== undefined) {
      if (this.#isApiKey(String(key))) return this.#acceptedKey();
      countOutcome(this.#outcomes, 'api_key_invalid');
      throw new RequestError('api_key_invalid', 'X-API-Key holds no known API key');
    }
    const token = bearerToken(headers.authorization);
    if (token === undefined) return this.#withoutCredentials();
    return this.#isApiKey(token) ? this.#acceptedKey() : this.#verify(token);
  }

  /** Verifies a bearer that is not an API key; one that is not a token may have been meant as a key. */
  async #verify(token: string): Promise<Identity> {
    try {
      return await this.#verifier.verify(token);
    } catch (error) {
      if (!(error instanceof ProtocolError && error.code === 'token_malformed')) throw error;
      const message = 'neither a known API key nor a JSON Web Token';
      throw new ProtocolError('token_malformed', message, { cause: error });
    }
  }

  #acceptedKey(): Identity {
    countOutcome(this.#outcomes, 'accepted');
    return API_KEY;
  }

  #withoutCredentials(): Identity {
    if (this.#mode === 'open') return anonymous();
    throw new ProtocolError(
      'token_missing',
      'needs a token or an API key as Authorization: Bearer',
    );
  }

  /** Takes the same time for every key, so that timing discloses nothing about a guess. */
  #isApiKey(candidate: string): boolean {
    const candidateHash = sha256(candidate);
    return this.#keyHashes.reduce(
      (found, keyHash) => timingSafeEqual(keyHash, candidateHash) || found,
      false,
    );
  }
}

/** The caller in words, for delivery reports. */
function nameOf(identity: Identity): string {
  if (identity === API_KEY) return 'an API key';
  return identity.userId === undefined ? 'an anonymous caller' : `user ${identity.userId}`;
}

function sha256(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}
