import { secretKey, secretKeyProblem } from './secret-key.ts';

const MIN_SECRET_LENGTH = 32;
const MIN_API_KEY_LENGTH = 20;
/** A random secret in hexadecimal digits has about sixteen different characters. */
const MIN_DIFFERENT = 8;

/** Secrets that everybody can read: of this repository's files, and of well-known examples. */
const PUBLISHED: ReadonlySet<string> = new Set([
  'for-this-machine-only-0123456789abcdef',
  'a-string-secret-at-least-256-bits-long',
  'your-256-bit-secret',
]);
/** The tests of this repository use such secrets on loopback. */
const FOR_TESTS = 'only-for-tests';

interface Strictness {
  readonly AUTH_MODE?: string;
  readonly NODE_ENV?: string;
}

/** Secrets that sign tokens or grants. */
export const SIGNING_SECRETS = [
  'JWT_SECRET',
  'JWT_SECRET_NEXT',
  'GRANT_SECRET',
  'GRANT_SECRET_NEXT',
] as const;
type Secrets = { readonly [N in (typeof SIGNING_SECRETS)[number]]?: string };

/**
 * Lists what is wrong with the secrets of tokens and grants. A key for HS256 must be at least as long as its hash
 * (RFC 7518, section 3.2). In open mode only production needs that.
 */
export function secretProblems(config: Strictness & Secrets): readonly string[] {
  return SIGNING_SECRETS.flatMap((name) => {
    const secret = config[name];
    return secret === undefined ? [] : problemsOf(name, secret, config);
  });
}

function problemsOf(name: string, secret: string, config: Strictness): readonly string[] {
  const unreadable = secretKeyProblem(secret);
  if (unreadable !== undefined) return [`${name} ${unreadable}`];
  const reason = reasonToBeStrict(config);
  if (reason === undefined) return [];
  if (secretKey(secret).length < MIN_SECRET_LENGTH) {
    return [`${reason} needs a ${name} of at least ${MIN_SECRET_LENGTH} characters`];
  }
  if (new Set(secret).size < MIN_DIFFERENT) {
    return [`${name} has fewer than ${MIN_DIFFERENT} different characters`];
  }
  return isPublished(secret, config) ? [`${name} ${IS_PUBLISHED}`] : [];
}

/** What is wrong with API keys. The messages name a key by its place, because they are logged. */
export function apiKeyProblems(config: Strictness, keys: readonly string[]): readonly string[] {
  const reason = reasonToBeStrict(config);
  if (reason === undefined) return [];
  return keys.flatMap((key, index) => {
    const name = `key ${index + 1} of PUBLISH_API_KEYS`;
    if (key.length < MIN_API_KEY_LENGTH) {
      return [
        `${reason} needs API keys of at least ${MIN_API_KEY_LENGTH} characters; ${name} has fewer`,
      ];
    }
    if (new Set(key).size < MIN_DIFFERENT) {
      return [`${name} has fewer than ${MIN_DIFFERENT} different characters`];
    }
    return isPublished(key, config) ? [`${name} ${IS_PUBLISHED}`] : [];
  });
}

const IS_PUBLISHED = 'is a published sample; make your own with `leque keys`';

function reasonToBeStrict({ AUTH_MODE, NODE_ENV }: Strictness): string | undefined {
  if (NODE_ENV === 'production') return 'NODE_ENV=production';
  return AUTH_MODE === 'open' ? undefined : 'AUTH_MODE=required';
}

/** The sample of docker-compose.yml also runs in images, as long as nobody needs a token. */
function isPublished(secret: string, { AUTH_MODE, NODE_ENV }: Strictness): boolean {
  if (AUTH_MODE === 'open') return false;
  return PUBLISHED.has(secret) || (NODE_ENV === 'production' && secret.startsWith(FOR_TESTS));
}
