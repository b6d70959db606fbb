import { readFileSync } from 'node:fs';
import { type AcceptedTokens, signToken, type TokenRequest } from '@leque/auth-jwt';
import { ALL_PROJECTS, SCOPES, type Scope } from '@leque/core';
import { ID_RULE, isId } from '@leque/protocol';
import { devSecret, SecretNotKept } from './dev-secret.ts';
import { CommandError, EXIT, usageError } from './exit.ts';
import { splitIds, tryParsePositive } from './parse-option.ts';

export interface TokenOptions {
  readonly user: string;
  /** Comma-separated ids, or `*`; a JSON list for ids with commas. */
  readonly projects: string;
  /** Comma-separated scopes. */
  readonly scope: string;
  /** Seconds, in decimal digits. */
  readonly ttl: string;
}

/** Variables of the environment that decide about a token, as servers have them. */
export interface TokenKey extends AcceptedTokens {
  readonly JWT_SECRET?: string | undefined;
  readonly JWT_SECRET_FILE?: string | undefined;
  readonly JWT_PUBLIC_KEY?: string | undefined;
  readonly JWT_PUBLIC_KEY_FILE?: string | undefined;
  readonly JWKS_URL?: string | undefined;
  readonly JWT_ISSUER?: string | undefined;
  readonly JWT_AUDIENCE?: string | undefined;
}

export interface SignedToken {
  readonly token: string;
  /** RFC 3339, UTC. */
  readonly expiresAt: string;
}

/**
 * Signs a token with `JWT_SECRET`, or with the secret that `leque dev` uses on this machine.
 * @throws CommandError that names everything that is wrong with the options, or why servers with
 * these variables would refuse the token
 */
export async function makeToken(options: TokenOptions, env: TokenKey): Promise<SignedToken> {
  const projects = splitIds(options.projects);
  const scopes = splitIds(options.scope);
  const end = endAfter(options.ttl);
  const problems = [
    ...(isId(options.user) ? [] : [`--user "${options.user}" is not a user id: ${ID_RULE}`]),
    ...projects
      .filter((project) => project !== ALL_PROJECTS && !isId(project))
      .map((project) => `--projects: "${project}" is not a project id: ${ID_RULE}`),
    ...scopes
      .filter((scope) => !isScope(scope))
      .map((scope) => `--scope: "${scope}" is none of ${SCOPES.join(', ')}`),
    ...(end === undefined ? [`--ttl "${options.ttl}" is not a number of seconds above 0`] : []),
  ];
  if (end === undefined || problems.length > 0) throw usageError(problems);
  const { JWT_ISSUER: issuer, JWT_AUDIENCE: audience } = env;
  const token = await sign({
    secret: env.JWT_SECRET || secretIn(env.JWT_SECRET_FILE) || secretOfServers(env),
    userId: options.user,
    projects,
    scopes: scopes.filter(isScope),
    expiresInSeconds: Number(options.ttl),
    ...(issuer && { issuer }),
    ...(audience && { audience }),
    accepted: env,
  });
  return { token, expiresAt: end.toISOString() };
}

/** @throws CommandError when no token can be signed that servers accept */
async function sign(request: TokenRequest): Promise<string> {
  try {
    return await signToken(request);
  } catch (cause) {
    throw new CommandError((cause as Error).message, { exitCode: EXIT.usage, cause });
  }
}

/** @throws CommandError that names the file */
function secretIn(file: string | undefined): string | undefined {
  if (!file) return undefined;
  try {
    return readFileSync(file, 'utf8').replace(/(?:\r?\n)+$/, '');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const message = `JWT_SECRET_FILE: ${file} cannot be read: ${code}`;
    throw new CommandError(message, { exitCode: EXIT.usage, cause });
  }
}

/** @throws CommandError when servers with these variables know no secret, or none that is kept */
function secretOfServers(env: TokenKey): string {
  const key = (['JWT_PUBLIC_KEY', 'JWT_PUBLIC_KEY_FILE', 'JWKS_URL'] as const).find(
    (name) => env[name],
  );
  if (key !== undefined) {
    const message = `${key} is set, so servers accept only what its private key has signed; leque token signs with JWT_SECRET`;
    throw new CommandError(message, { exitCode: EXIT.refused });
  }
  try {
    return devSecret();
  } catch (error) {
    if (!(error instanceof SecretNotKept)) throw error;
    throw new CommandError(error.message, { exitCode: EXIT.refused, cause: error });
  }
}

/** Undefined when the text is not a number above 0, or leads beyond the last date of JavaScript. */
function endAfter(seconds: string): Date | undefined {
  const end = new Date(Date.now() + (tryParsePositive(seconds) ?? Number.NaN) * 1000);
  return Number.isNaN(end.getTime()) ? undefined : end;
}

function isScope(scope: string): scope is Scope {
  return (SCOPES as readonly string[]).includes(scope);
}
