import { type Clock, systemClock } from '@leque/core';
import { ProtocolError } from '@leque/protocol';
import { createRemoteJWKSet, errors, type JWTVerifyGetKey, type RemoteJWKSet } from 'jose';

const FETCH_DEADLINE_MS = 2_500;
/** A token with an unknown key makes the set be fetched again, at most this often. */
const COOLDOWN_MS = 5_000;
/** A key that was taken out of the set is trusted no longer than this. */
const REFRESH_MS = 5 * 60_000;

/**
 * Finds the key of a token in a remote key set. Keys that are known stay in use while the set
 * cannot be fetched: the server of the keys may be away for longer than tokens may be refused.
 * @throws ProtocolError `unavailable` when there are no keys yet and none can be fetched
 */
export function remoteKeys(url: string, clock: Clock = systemClock): JWTVerifyGetKey {
  const keySet = createRemoteJWKSet(new URL(url), {
    timeoutDuration: FETCH_DEADLINE_MS,
    cooldownDuration: COOLDOWN_MS,
    cacheMaxAge: Number.POSITIVE_INFINITY,
  });
  const refresh = refresher(keySet, clock);
  return async (header, token) => {
    refresh();
    try {
      return await keySet(header, token);
    } catch (error) {
      if (isAboutToken(error)) throw error;
      throw new ProtocolError(
        'unavailable',
        'the keys that tokens are verified with cannot be fetched',
        {
          cause: error,
        },
      );
    }
  };
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
