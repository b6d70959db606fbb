import { hkdfSync } from 'node:crypto';
import type { Key, KeySource, VerifierSettings } from './key-source.ts';
import { algorithmsOfSecret, secretKey } from './secret-key.ts';
import { KEY_SOURCES } from './settings.ts';

/** Variables with which grants can be verified. */
export const GRANT_KEY_SOURCES = ['GRANT_SECRET', ...KEY_SOURCES] as const;

/** The `kid` of the grants that Leque signs: it is tried before the keys of applications. */
export const GRANT_KID = 'leque-grant';

/** The purpose of the key that is derived from the secret of tokens: it signs no token. */
const PURPOSE = 'leque grants 1';
const KEY_BYTES = 32;

/**
 * The key with which Leque signs grants, for HS256: `GRANT_SECRET`, or a key derived from `JWT_SECRET`.
 * @returns undefined where neither is set
 */
export function grantSigningKey(settings: VerifierSettings): Uint8Array | undefined {
  const { GRANT_SECRET: own, JWT_SECRET: secret } = settings;
  if (own !== undefined) return secretKey(own);
  return secret === undefined ? undefined : derivedKey(secret);
}

/**
 * The keys of grants: those with which Leque signs, and those of tokens, for applications that sign for
 * themselves. Undefined where there is none.
 * @param tokens the keys of tokens
 */
export function grantSourceOf(
  settings: VerifierSettings,
  tokens: KeySource | undefined,
): KeySource | undefined {
  const keys = [...ownKeys(settings), ...(tokens?.keys ?? [])];
  return keys.length === 0 ? undefined : { keys, keySet: () => tokens?.keySet() };
}

/** While secrets are rotated, grants of either count; so do earlier ones when `GRANT_SECRET` is introduced. */
function ownKeys(settings: VerifierSettings): readonly Key[] {
  const given = [settings.GRANT_SECRET, settings.GRANT_SECRET_NEXT].filter(isSet).map(secretKey);
  const derived = [settings.JWT_SECRET, settings.JWT_SECRET_NEXT].filter(isSet).map(derivedKey);
  return [
    ...given.map((key) => ownKey(key, algorithmsOfSecret(key))),
    ...derived.map((key) => ownKey(key, ['HS256'])),
  ];
}

function ownKey(key: Uint8Array, algorithms: readonly string[]): Key {
  return { getKey: async () => key, algorithms, kid: GRANT_KID };
}

function derivedKey(secret: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secretKey(secret), '', PURPOSE, KEY_BYTES));
}

function isSet(secret: string | undefined): secret is string {
  return secret !== undefined;
}
