import { signToken } from '@leque/auth-jwt';
import { ALL_PROJECTS, SCOPES, type Scope } from '@leque/core';
import { isId } from '@leque/protocol';
import { ConfigError } from '@leque/service';
import { devSecret } from '../dev/dev-secret.ts';

export interface TokenOptions {
  readonly user: string;
  /** Comma-separated ids, or `*`. */
  readonly projects: string;
  /** Comma-separated scopes. */
  readonly scope: string;
  /** Seconds. */
  readonly ttl: string;
}

/** As the servers have them in their environment. */
export interface TokenKey {
  readonly JWT_SECRET?: string | undefined;
  readonly JWT_ISSUER?: string | undefined;
  readonly JWT_AUDIENCE?: string | undefined;
}

/**
 * Signs a token with `JWT_SECRET`, or with the secret that `leque dev` uses on this machine.
 * @throws ConfigError that names what is wrong with the options
 */
export function makeToken(options: TokenOptions, env: TokenKey): Promise<string> {
  const projects = split(options.projects);
  const scopes = split(options.scope);
  const expiresInSeconds = Number(options.ttl);
  const problems = [
    ...(isId(options.user) ? [] : [`--user "${options.user}" is not a user id`]),
    ...projects
      .filter((project) => project !== ALL_PROJECTS && !isId(project))
      .map((project) => `--projects: "${project}" is not a project id`),
    ...scopes
      .filter((scope) => !isScope(scope))
      .map((scope) => `--scope: "${scope}" is none of ${SCOPES.join(', ')}`),
    ...(expiresInSeconds > 0 ? [] : [`--ttl "${options.ttl}" is not a number of seconds`]),
  ];
  if (problems.length > 0) throw new ConfigError(problems);
  const { JWT_ISSUER: issuer, JWT_AUDIENCE: audience } = env;
  return signToken({
    secret: env.JWT_SECRET || devSecret(),
    userId: options.user,
    projects,
    scopes: scopes.filter(isScope),
    expiresInSeconds,
    ...(issuer && { issuer }),
    ...(audience && { audience }),
  });
}

function isScope(scope: string): scope is Scope {
  return (SCOPES as readonly string[]).includes(scope);
}

function split(list: string): string[] {
  return list.split(',').filter((entry) => entry !== '');
}
