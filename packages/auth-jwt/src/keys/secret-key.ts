const BASE64 = 'base64:';
const BASE64_FORM = /^[A-Za-z0-9+/_-]+={0,2}$/;

export const HMAC_ALGORITHMS = ['HS256', 'HS384', 'HS512'] as const;
/** Lengths of the hashes, in bytes. RFC 7518 §3.2: a key is at least as long as its hash. */
const HASH_BYTES = { HS256: 32, HS384: 48, HS512: 64 } as const;

/**
 * The key of a secret: its UTF-8 bytes, or after `base64:` the bytes of the base64 text, standard or URL-safe.
 * @throws Error for a text that is not base64
 */
export function secretKey(secret: string): Uint8Array {
  if (!secret.startsWith(BASE64)) return new TextEncoder().encode(secret);
  const text = secret.slice(BASE64.length);
  if (!BASE64_FORM.test(text)) throw new Error('has no base64 text after "base64:"');
  return new Uint8Array(Buffer.from(text, 'base64'));
}

/** The algorithms of a secret for which it is long enough; HS256 is always one of them. */
export function algorithmsOfSecret(key: Uint8Array): readonly string[] {
  return HMAC_ALGORITHMS.filter(
    (algorithm) => algorithm === 'HS256' || key.length >= HASH_BYTES[algorithm],
  );
}

/** The problem with a secret, worded to follow the variable's name; undefined when it is usable. */
export function secretKeyProblem(secret: string): string | undefined {
  try {
    secretKey(secret);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
