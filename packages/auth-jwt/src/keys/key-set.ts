import { createPublicKey } from 'node:crypto';
import type { JSONWebKeySet, JWK } from 'jose';
import { algorithmsOf } from './public-key.ts';

/** Real key sets have a few kilobytes. */
const MAX_BYTES = 262_144;
const MAX_KEYS = 100;
/** Characters of foreign texts that are logged. */
const MAX_NAME = 64;
const MAX_SHOWN = 256;
const MAX_REASONS = 3;

export interface FetchedKeys {
  /** Public keys for signatures, of supported types and sizes. */
  readonly keys: JSONWebKeySet;
  /** Why keys were left out, each with its `kid`; keys for other purposes than signatures do not count. */
  readonly unusable: readonly string[];
}

/**
 * Fetches a JSON Web Key Set. Redirects are not followed, because the keys decide who gets in, and
 * another address is another trust.
 * @throws Error that names the URL and its answer, also when none of the keys is usable
 */
export async function fetchKeySet(url: string, deadlineMs: number): Promise<FetchedKeys> {
  const response = await ask(url, deadlineMs);
  try {
    if (response.status !== 200) throw new Error(`answered ${statusOf(response)}`);
    return usableKeys(parseKeys(await readText(response), response));
  } catch (error) {
    throw new Error(`${withoutSecrets(url)} ${reasonOf(error, deadlineMs)}`, { cause: error });
  } finally {
    await response.body?.cancel().catch(() => undefined);
  }
}

async function ask(url: string, deadlineMs: number): Promise<Response> {
  try {
    return await fetch(url, {
      headers: { accept: 'application/json' },
      redirect: 'manual',
      signal: AbortSignal.timeout(deadlineMs),
    });
  } catch (error) {
    throw new Error(`${withoutSecrets(url)} ${reasonOf(error, deadlineMs)}`, { cause: error });
  }
}

/** Worded to follow the URL. The library hides the reason of a failed connection in the cause. */
function reasonOf(error: unknown, deadlineMs: number): string {
  const { name, message, cause } = error as Error & { cause?: NodeJS.ErrnoException };
  if (name === 'TimeoutError') return `did not answer within ${deadlineMs} ms`;
  if (name !== 'TypeError') return message;
  return `does not answer: ${cause?.code ?? cause?.message ?? message}`;
}

function statusOf({ status, headers, url }: Response): string {
  const location = headers.get('location');
  if (location === null) return String(status);
  const target = URL.canParse(location, url) ? new URL(location, url).href : location;
  return `${status} with a redirect to ${withoutSecrets(target)}, which is not followed`;
}

/** Without user, password and query, because the text is logged. */
function withoutSecrets(url: string): string {
  if (!URL.canParse(url)) return 'an address';
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`.slice(0, MAX_SHOWN);
}

async function readText({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MAX_BYTES) throw new Error(`answered with more than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function parseKeys(text: string, { headers }: Response): readonly unknown[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    const type = headers.get('content-type')?.split(';')[0] ?? 'no content type';
    throw new Error(`answered with text that is not JSON (${type.slice(0, MAX_NAME)})`);
  }
  const { keys } = Object(parsed) as { readonly keys?: unknown };
  if (!Array.isArray(keys)) throw new Error('answered with JSON that is no key set');
  if (keys.length > MAX_KEYS) throw new Error(`answered with more than ${MAX_KEYS} keys`);
  return keys;
}

function usableKeys(given: readonly unknown[]): FetchedKeys {
  const read = given.filter(isForSignatures).map(readKey);
  const keys = read.flatMap(({ key }) => (key === undefined ? [] : [key]));
  const unusable = read.flatMap(({ problem }) => (problem === undefined ? [] : [problem]));
  if (keys.length > 0) return { keys: { keys }, unusable };
  const why = unusable.length > 0 ? `: ${unusable.slice(0, MAX_REASONS).join('; ')}` : '';
  throw new Error(`answered with a set that has no usable key${why}`);
}

/** Key sets of Keycloak and others have keys for encryption, too. */
function isForSignatures(given: unknown): boolean {
  const { use, alg } = Object(given) as JWK;
  return (use === undefined || use === 'sig') && !String(alg ?? '').startsWith('RSA-OAEP');
}

/** The public part of a key, or why it is not used. */
function readKey(given: unknown): { readonly key?: JWK; readonly problem?: string } {
  const { kid, alg, kty } = Object(given) as JWK;
  const name = `key ${JSON.stringify(String(kid ?? '').slice(0, MAX_NAME))}`;
  if (kty === 'oct') return { problem: `${name} is symmetric` };
  if (!isOptionalText(kid) || !isOptionalText(alg)) return { problem: `${name} is malformed` };
  try {
    const key = createPublicKey({ key: given as JWK, format: 'jwk' });
    algorithmsOf(key);
    const names = { ...(kid !== undefined && { kid }), ...(alg !== undefined && { alg }) };
    return { key: { ...key.export({ format: 'jwk' }), ...names } as JWK };
  } catch (error) {
    return { problem: `${name} ${keyProblem(error, kty)}` };
  }
}

const KEY_TYPES = ['RSA', 'EC', 'OKP'];

function keyProblem(error: unknown, kty: unknown): string {
  const { message, code } = error as NodeJS.ErrnoException;
  if (code === undefined) return message; // of `algorithmsOf`
  if (KEY_TYPES.includes(String(kty))) return 'is broken';
  return `has the type ${JSON.stringify(kty)?.slice(0, MAX_NAME)}, which is not supported`;
}

function isOptionalText(value: unknown): boolean {
  return value === undefined || typeof value === 'string';
}
