import { type AuthSettings, keySetProblem, SIGNING_SECRETS, secretKey } from '@leque/auth-jwt';

/** RFC 7518 §3.2: a key for HS256 is at least as long as its hash. */
const KEY_BYTES = 32;
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** Settings for tokens that start a process, but let in more than is probably meant. */
export function adviseOnTokens(config: Tokens): string[] {
  return [...adviseOnSecrets(config), ...adviseOnKeySet(config)];
}

/** As a process has read them, with the content of files. */
type Tokens = Pick<
  AuthSettings,
  (typeof SIGNING_SECRETS)[number] | 'JWKS_URL' | 'JWT_ISSUER' | 'JWT_AUDIENCE'
>;

/** Fetches the keys of `JWKS_URL` once, as a process does. */
export async function adviseOnKeys({ JWKS_URL: url }: Tokens): Promise<string[]> {
  if (!url || !URL.canParse(url)) return [];
  const problem = await keySetProblem(url);
  return problem === undefined ? [] : [`JWKS_URL: ${problem}; no token can be verified`];
}

/** A short secret is refused where tokens are required, and works in open mode. */
function adviseOnSecrets(config: Tokens): string[] {
  return SIGNING_SECRETS.flatMap((name) => {
    const secret = config[name];
    if (!secret) return [];
    const { length } = secretKey(secret);
    if (length >= KEY_BYTES) return [];
    return [
      `${name} is a key of ${length} ${length === 1 ? 'byte' : 'bytes'}: whoever guesses it can ` +
        `sign ${name.startsWith('GRANT') ? 'grants' : 'tokens'}; make one of ${KEY_BYTES} or more with leque keys`,
    ];
  });
}

function adviseOnKeySet(config: Tokens): string[] {
  const { JWKS_URL: url, JWT_ISSUER: issuer, JWT_AUDIENCE: audience } = config;
  if (!url || !URL.canParse(url)) return [];
  const { protocol, hostname } = new URL(url);
  return [
    ...(issuer || audience
      ? []
      : [
          'JWKS_URL is set with neither JWT_ISSUER nor JWT_AUDIENCE: every token of that identity ' +
            'provider is accepted, also those for other applications',
        ]),
    ...(protocol === 'http:' && !LOOPBACK.test(hostname)
      ? [
          'JWKS_URL is not https: whoever can change the answer on its way can sign tokens; ' +
            'use https, or a network that only the key server can write to',
        ]
      : []),
  ];
}
