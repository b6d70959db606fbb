import { keySetProblem } from '@leque/auth-jwt';

const SECRET_LENGTH = 32;
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** Settings for tokens that start a process, but let in more than is probably meant. */
export function adviseOnTokens(env: Env): string[] {
  return [...adviseOnSecret(env), ...adviseOnKeySet(env)];
}

type Env = Readonly<Record<string, string | undefined>>;

/** Fetches the keys of `JWKS_URL` once, as a process does. */
export async function adviseOnKeys({ JWKS_URL: url }: Env): Promise<string[]> {
  if (!url || !URL.canParse(url)) return [];
  const problem = await keySetProblem(url);
  return problem === undefined ? [] : [`JWKS_URL: ${problem}; no token can be verified`];
}

/** A short secret is refused where tokens are required, and works in open mode. */
function adviseOnSecret({ JWT_SECRET: secret }: Env): string[] {
  if (!secret || secret.length >= SECRET_LENGTH) return [];
  return [
    `JWT_SECRET has ${secret.length} characters: whoever guesses it can sign tokens; ` +
      'make one of 32 or more with leque keys',
  ];
}

function adviseOnKeySet(env: Env): string[] {
  const { JWKS_URL: url, JWT_ISSUER: issuer, JWT_AUDIENCE: audience } = env;
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
