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
/** A token with an unknown key makes the set be fetched again, at most once in this time. */
const COOLDOWN_MS = 5_000;
/** A key that was removed from the set is trusted for at most this long. */
const REFRESH_MS = 5 * 60_000;

export interface RemoteKeys {
  /** @throws ProtocolError `unavailable` when there are no keys yet and none can be fetched */
  readonly getKey: JWTVerifyGetKey;
  /** The current key set; each fetch makes a new object. */
  keySet(): unknown;
}

/**
 * Finds the key of a token in a remote key set. Known keys stay in use while the set cannot be
 * fetched, because an outage of the key server must not lock everybody out.
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

/** Fetches an old set in the background, so that no token waits for it. */
function refresher(keySet: RemoteJWKSet, clock: Clock): () => void {
  let triedAt = clock.now();
  return () => {
    if (keySet.jwks() === undefined || clock.now() - triedAt < REFRESH_MS) return;
    triedAt = clock.now();
    // After a failure the known keys stay, and the next interval tries again.
    keySet.reload().catch(() => undefined);
  };
}

function isAboutToken(error: unknown): boolean {
  return (
    error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys
  );
}
