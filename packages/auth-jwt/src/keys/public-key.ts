import { createPublicKey, type KeyObject } from 'node:crypto';

const RSA_ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const;
const EDDSA_ALGORITHMS = ['EdDSA', 'Ed25519'] as const;
const CURVE_ALGORITHMS = {
  prime256v1: 'ES256',
  secp384r1: 'ES384',
  secp521r1: 'ES512',
} as const;
export const ASYMMETRIC_ALGORITHMS: readonly string[] = [
  ...RSA_ALGORITHMS,
  ...Object.values(CURVE_ALGORITHMS),
  ...EDDSA_ALGORITHMS,
];

const PEM_BLOCK = /-----BEGIN [^-]+-----[^-]*-----END [^-]+-----/g;
const MIN_RSA_BITS = 2048;
const SUPPORTED = 'RSA, P-256, P-384, P-521 or Ed25519';

export interface PublicKey {
  readonly key: KeyObject;
  /** Algorithms that the type of the key allows. HMAC is never one, because the key is public. */
  readonly algorithms: readonly string[];
}

/**
 * Reads one PEM block or several.
 * @throws Error that says what is wrong with a key
 */
export function readPublicKeys(pem: string): readonly PublicKey[] {
  const text = pem.replaceAll('\\n', '\n');
  const blocks = text.match(PEM_BLOCK) ?? [text];
  return blocks.map(readPublicKey);
}

function readPublicKey(text: string): PublicKey {
  // Node would accept a private key, and the key would then be stored on every node.
  if (text.includes('PRIVATE KEY')) throw new Error('holds a private key; give the public one');
  const key = parse(text);
  return { key, algorithms: algorithmsOf(key) };
}

/** The problem with a PEM, worded to follow the variable's name; undefined when it is usable. */
export function publicKeyProblem(pem: string): string | undefined {
  try {
    readPublicKeys(pem);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function parse(pem: string): KeyObject {
  try {
    return createPublicKey(pem);
  } catch (cause) {
    throw new Error('is not a public key in PEM format', { cause });
  }
}

/**
 * Algorithms that the type of the key allows.
 * @throws Error that says why none does, also for a key that is too weak
 */
export function algorithmsOf(key: KeyObject): readonly string[] {
  const { namedCurve, modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case 'rsa':
      if (modulusLength < MIN_RSA_BITS) throw new Error(`has fewer than ${MIN_RSA_BITS} bits`);
      return RSA_ALGORITHMS;
    case 'ec':
      return [curveAlgorithm(namedCurve)];
    case 'ed25519':
      return EDDSA_ALGORITHMS;
    default:
      throw new Error(`is of type ${key.asymmetricKeyType}; supported are ${SUPPORTED}`);
  }
}

function curveAlgorithm(curve: string | undefined): string {
  const algorithm = CURVE_ALGORITHMS[curve as keyof typeof CURVE_ALGORITHMS];
  if (algorithm === undefined) {
    throw new Error(`is on the curve ${curve}; supported are ${SUPPORTED}`);
  }
  return algorithm;
}
