import type { ConfigRule } from '@leque/core';
import { type Static, Type } from 'typebox';
import { ASYMMETRIC_ALGORITHMS, publicKeyProblem, readPublicKeys } from './public-key.ts';
import { HMAC_ALGORITHMS } from './secret-key.ts';
import { secretProblems } from './secret-problems.ts';

const optionalText = (description: string, options: object = {}) =>
  Type.Optional(Type.String({ description, ...options }));

/** Settings for authentication: whether it is required, and how tokens are verified. */
export const AuthSettings = Type.Object({
  AUTH_MODE: Type.Enum(['required', 'open'], {
    default: 'required',
    description:
      '`open` serves clients without a token, except on Socket.IO; a token that is presented is ' +
      'verified all the same, and grants only what it says',
  }),
  JWT_SECRET: optionalText(
    'secret that tokens are signed with (HS256, with 48 bytes HS384, with 64 bytes HS512): text, or ' +
      '`base64:` and base64; at least 32 characters and no published sample, except with ' +
      'AUTH_MODE=open outside of production',
  ),
  JWT_SECRET_NEXT: optionalText(
    'another secret that is accepted beside JWT_SECRET, while secrets are rotated',
  ),
  GRANT_SECRET: optionalText(
    'secret that grants of `POST /api/grants` are signed with, in the form of JWT_SECRET; without it they ' +
      'are signed with a key that is derived from JWT_SECRET. Applications may sign with it, too. Needed ' +
      'for these grants where tokens have public keys',
  ),
  GRANT_SECRET_NEXT: optionalText(
    'another secret that is accepted beside GRANT_SECRET, while secrets are rotated',
  ),
  JWT_PUBLIC_KEY: optionalText(
    'public key in PEM format, with line breaks or `\\n`: RSA (RS256 to PS512), P-256, P-384 or ' +
      'P-521 (ES256 to ES512) or Ed25519 (EdDSA); several blocks are several keys, each of them accepted',
  ),
  JWKS_URL: optionalText(
    'an http or https URL of a JSON Web Key Set, which is fetched again when keys rotate; redirects are not followed',
    {
      pattern: '^https?://.+',
    },
  ),
  JWT_ALGORITHMS: optionalText(
    'comma-separated algorithms that are accepted, all with a secret or all with public keys; by ' +
      'default all that fit the configured key',
  ),
  JWT_USER_CLAIM: optionalText(
    'name of the claim with the id of the user, or a path such as `app.user`; by default `sub`, or ' +
      '`userId` in its place',
  ),
  JWT_PROJECTS_CLAIM: Type.String({
    default: 'projects',
    description:
      'name of the claim with the projects, or a path such as `app_metadata.projects`: a list, text ' +
      'with blanks or commas between the ids, or the JSON text of a list',
  }),
  JWT_SCOPE_CLAIM: Type.String({
    default: 'scope',
    description: 'name of the claim with the scopes, or a path, in one of these forms',
  }),
  JWT_ISSUER: optionalText('required claim `iss` of tokens'),
  JWT_AUDIENCE: optionalText('required value in the claim `aud` of tokens'),
  JWT_CLOCK_TOLERANCE: Type.Integer({
    default: 5,
    minimum: 0,
    maximum: 300,
    description:
      'seconds by which the clock of whoever signs tokens may differ: a token is accepted for so ' +
      'long before its `nbf` and after its `exp`',
  }),
  NODE_ENV: optionalText('with `production`, a process without a key for tokens does not start'),
});
export type AuthSettings = Static<typeof AuthSettings>;

/** Variables that configure the key for tokens; exactly one of them is set. */
export const KEY_SOURCES = ['JWT_SECRET', 'JWT_PUBLIC_KEY', 'JWKS_URL'] as const;
const ANY_SOURCE = 'JWT_SECRET, JWT_PUBLIC_KEY or JWKS_URL';

/** Checks what the schema cannot: exactly one key source, with usable keys and algorithms that fit. */
export const authRule: ConfigRule<AuthSettings> = (config) => [
  ...keySourceProblems(config),
  ...secretProblems(config),
  ...urlProblems(config.JWKS_URL),
  ...publicKeyProblems(config.JWT_PUBLIC_KEY),
  ...algorithmProblems(config),
];

/** The entries of JWT_ALGORITHMS; none when it is not set. */
export function algorithmsIn(text: string | undefined): readonly string[] {
  return (text ?? '').split(/[\s,]+/).filter((entry) => entry !== '');
}

function algorithmProblems(config: AuthSettings): string[] {
  const wanted = algorithmsIn(config.JWT_ALGORITHMS);
  const possible = possibleAlgorithms(config);
  const wrong = wanted.filter((each) => !possible.includes(each));
  if (wrong.length === 0) return [];
  return [
    `JWT_ALGORITHMS: ${wrong.join(', ')} cannot be used with the configured key; use some of ${possible.join(', ')}`,
  ];
}

/** A secret and a public key never share a list: the public one would serve to forge tokens. */
function possibleAlgorithms({ JWT_SECRET, JWT_PUBLIC_KEY: pem }: AuthSettings): readonly string[] {
  if (JWT_SECRET !== undefined) return HMAC_ALGORITHMS;
  if (pem === undefined || publicKeyProblem(pem) !== undefined) return ASYMMETRIC_ALGORITHMS;
  return [...new Set(readPublicKeys(pem).flatMap(({ algorithms }) => algorithms))];
}

function keySourceProblems(config: AuthSettings): string[] {
  const given = KEY_SOURCES.filter((source) => config[source] !== undefined);
  if (given.length > 1) return [`${given.join(' and ')} exclude each other; set one of them`];
  if (config.JWT_SECRET_NEXT !== undefined && config.JWT_SECRET === undefined) {
    return ['JWT_SECRET_NEXT is accepted beside JWT_SECRET only; set JWT_SECRET'];
  }
  if (given.length === 1) return [];
  if (config.AUTH_MODE === 'required') return [`AUTH_MODE=required needs ${ANY_SOURCE}`];
  if (config.NODE_ENV !== 'production') return [];
  return [`NODE_ENV=production needs ${ANY_SOURCE}, whatever AUTH_MODE says`];
}

function urlProblems(url: string | undefined): string[] {
  if (url === undefined || URL.canParse(url)) return [];
  return ['JWKS_URL must be an http or https URL'];
}

function publicKeyProblems(pem: string | undefined): string[] {
  const problem = pem === undefined ? undefined : publicKeyProblem(pem);
  return problem === undefined ? [] : [`JWT_PUBLIC_KEY ${problem}`];
}
