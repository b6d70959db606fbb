import { createPublicKey } from 'node:crypto';
import type { JSONWebKeySet, JWK } from 'jose';
import { algorithmsOf } from './public-key.ts';

/** Real key sets have a few kilobytes. */
const MAX_BYTES = 262_144;
const MAX_KEYS = 100;

export interface FetchedKeys {
  /** Public keys for signatures, of supported types and sizes. */
  readonly keys: JSONWebKeySet;
  /** Number of keys that were left out, because they are weak, broken or unsupported. */
  readonly unusable: number;
}

/**
 * Fetches a JSON Web Key Set. Redirects are not followed, because the keys decide who gets in, and
 * another address is another trust.
 * @throws Error that says why there are no keys, also when none of them is usable
 */
export async function fetchKeySet(url: string, deadlineMs: number): Promise<FetchedKeys> {
  const response = await fetch(url, {
    headers: { accept: 'application/json' },
    redirect: 'manual',
    signal: AbortSignal.timeout(deadlineMs),
  });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`the server answered ${response.status}`);
  }
  return usableKeys(parseKeys(await readText(response)));
}

async function readText({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MAX_BYTES) throw new Error(`the answer has more than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function parseKeys(text: string): readonly unknown[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new Error('the answer is not JSON');
  }
  const { keys } = Object(parsed) as { readonly keys?: unknown };
  if (!Array.isArray(keys)) throw new Error('the answer is not a JSON Web Key Set');
  if (keys.length > MAX_KEYS) throw new Error(`the set has more than ${MAX_KEYS} keys`);
  return keys;
}

function usableKeys(given: readonly unknown[]): FetchedKeys {
  const keys = given.map(usableKey).filter((key) => key !== undefined);
  if (keys.length === 0) throw new Error('the set has no usable key');
  return { keys: { keys }, unusable: given.length - keys.length };
}

/** The public part of a key for signatures; undefined for any other. */
function usableKey(given: unknown): JWK | undefined {
  const { kid, use, alg, kty } = Object(given) as JWK;
  if (use !== undefined && use !== 'sig') return undefined;
  if (kty === 'oct' || !isOptionalText(kid) || !isOptionalText(alg)) return undefined;
  try {
    const key = createPublicKey({ key: given as JWK, format: 'jwk' });
    algorithmsOf(key);
    const names = { ...(kid !== undefined && { kid }), ...(alg !== undefined && { alg }) };
    return { ...key.export({ format: 'jwk' }), ...names } as JWK;
  } catch {
    return undefined;
  }
}

function isOptionalText(value: unknown): boolean {
  return value === undefined || typeof value === 'string';
}
