import type { JWTVerifyGetKey } from 'jose';
import { type RemoteKeysDeps, remoteKeys } from './jwks.ts';
import { ASYMMETRIC_ALGORITHMS, readPublicKeys } from './public-key.ts';
import { algorithmsOfSecret, HMAC_ALGORITHMS, secretKey } from './secret-key.ts';
import { type AuthSettings, algorithmsIn } from './settings.ts';

export type VerifierSettings = Partial<Omit<AuthSettings, 'AUTH_MODE' | 'NODE_ENV'>>;

/** A key with the algorithms that its type allows. A token never chooses how it is verified. */
export interface Key {
  readonly getKey: JWTVerifyGetKey;
  readonly algorithms: readonly string[];
  /** The `kid` of what it signs; the others are tried after it. Undefined for a key without a name. */
  readonly kid?: string;
}

/** The keys of one configuration: secrets, or public keys, never both. */
export interface KeySource {
  /** The first one is the usual one; the others are accepted while keys are rotated. */
  readonly keys: readonly Key[];
  /** Identity of the current keys; another object after they have changed. */
  readonly keySet: () => unknown;
}

/**
 * Undefined when no key is configured.
 * @throws Error when a key is not usable
 */
export function keySourceOf(
  settings: VerifierSettings,
  deps: RemoteKeysDeps,
): KeySource | undefined {
  const wanted = algorithmsIn(settings.JWT_ALGORITHMS);
  const source = sourceOf(settings, deps);
  if (source === undefined || wanted.length === 0) return source;
  const keys = source.keys.map(({ getKey, algorithms }) => {
    return { getKey, algorithms: algorithms.filter((each) => wanted.includes(each)) };
  });
  return { ...source, keys };
}

function sourceOf(settings: VerifierSettings, deps: RemoteKeysDeps): KeySource | undefined {
  const { JWT_SECRET: secret, JWT_SECRET_NEXT: next, JWT_PUBLIC_KEY: pem } = settings;
  const { JWKS_URL: url, JWT_ALGORITHMS: algorithms } = settings;
  if (secret !== undefined) {
    const isChosen = algorithmsIn(algorithms).length > 0;
    return fixed([secret, next].filter((each) => each !== undefined).map(keyOf(isChosen)));
  }
  if (pem !== undefined) {
    return fixed(
      readPublicKeys(pem).map(({ key, ...rest }) => ({ getKey: async () => key, ...rest })),
    );
  }
  if (url === undefined) return undefined;
  const { getKey, keySet } = remoteKeys(url, deps);
  return { keys: [{ getKey, algorithms: ASYMMETRIC_ALGORITHMS }], keySet };
}

function fixed(keys: readonly Key[]): KeySource {
  return { keys, keySet: () => keys };
}

/** @param isChosen whether JWT_ALGORITHMS decides, so that a short secret may be used with a long hash */
function keyOf(isChosen: boolean): (secret: string) => Key {
  return (secret) => {
    const key = secretKey(secret);
    const algorithms = isChosen ? HMAC_ALGORITHMS : algorithmsOfSecret(key);
    return { getKey: async () => key, algorithms };
  };
}
