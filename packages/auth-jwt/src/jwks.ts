import { type Clock, systemClock } from '@leque/core';
import { ProtocolError } from '@leque/protocol';
import {
  createRemoteJWKSet,
  errors,
  type JWKSCacheInput,
  type JWTVerifyGetKey,
  jwksCache,
  type RemoteJWKSet,
} from 'jose';

const FETCH_DEADLINE_MS = 2_500;
/** A token with an unknown key makes the set be fetched again, at most this often. */
const COOLDOWN_MS = 5_000;
/** A key that was taken out of the set is trusted no longer than this. */
const REFRESH_MS = 5 * 60_000;

export interface RemoteKeys {
  /** @throws ProtocolError `unavailable` when there are no keys yet and none can be fetched */
  readonly getKey: JWTVerifyGetKey;
  /** The set that keys are found in now: another object whenever it was fetched. */
  keySet(): unknown;
}

/**
 * Finds the key of a token in a remote key set. Keys that are known stay in use while the set
 * cannot be fetched: the server of the keys may be away for longer than tokens may be refused.
 */
export function remoteKeys(url: string, clock: Clock = systemClock): RemoteKeys {
  const fetched: JWKSCacheInput = {};
  const keySet = createRemoteJWKSet(new URL(url), {
    timeoutDuration: FETCH_DEADLINE_MS,
    cooldownDuration: COOLDOWN_MS,
    cacheMaxAge: Number.POSITIVE_INFINITY,
    [jwksCache]: fetched,
  });
  const refresh = refresher(keySet, clock);
  const getKey: JWTVerifyGetKey = async (header, token) => {
    refresh();
    try {
      return await keySet(header, token);
    } catch (error) {
      if (isAboutToken(error)) throw error;
      throw keysUnavailable(error);
    }
  };
  return { getKey, keySet: () => fetched['jwks'] };
}

function keysUnavailable(cause: unknown): ProtocolError {
  const message = 'the keys that tokens are verified with cannot be fetched';
  return new ProtocolError('unavailable', message, { cause });
}

/** Fetches the set in the background once it is old, so that no token has to wait for it. */
function refresher(keySet: RemoteJWKSet, clock: Clock): () => void {
  let triedAt = clock.now();
  return () => {
    if (keySet.jwks() === undefined || clock.now() - triedAt < REFRESH_MS) return;
    triedAt = clock.now();
    // A failure changes nothing: the known keys stay, and the next round tries again.
    keySet.reload().catch(() => undefined);
  };
}

function isAboutToken(error: unknown): boolean {
  return (
    error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys
  );
}
