import { readFileSync } from 'node:fs';

/** Variables with secrets: each may be the content of the file that `NAME_FILE` names. */
export const SECRET_VARIABLES = [
  'CONTROL_SECRET',
  'GRANT_SECRET',
  'GRANT_SECRET_NEXT',
  'JWT_PUBLIC_KEY',
  'JWT_SECRET',
  'JWT_SECRET_NEXT',
  'PUBLISH_API_KEYS',
  'REDIS_SENTINEL_PASSWORD',
  'REDIS_URL',
  'SOCKETIO_RECOVERY_SECRET',
] as const;

export type Env = Readonly<Record<string, string | undefined>>;

export interface SecretsOfFiles {
  readonly env: Env;
  /** Sentences that name the variable and its file, and nothing of its content. */
  readonly problems: readonly string[];
}

/**
 * Copies an environment, with the content of files in place of the variables that name them. A line
 * break at the end of a file is no part of the secret.
 * @param names the variables that are wanted; files of others stay closed
 */
export function withSecretFiles(env: Env, names: readonly string[]): SecretsOfFiles {
  const secrets: Record<string, string> = {};
  const problems: string[] = [];
  for (const name of SECRET_VARIABLES) {
    const file = env[`${name}_FILE`];
    if (!file || !names.includes(name)) continue;
    try {
      secrets[name] = readSecret(file);
      if (env[name]) problems.push(`${name} and ${name}_FILE exclude each other; set one of them`);
    } catch (error) {
      problems.push(`${name}_FILE: ${file} ${(error as Error).message}`);
    }
  }
  return { env: { ...env, ...secrets }, problems };
}

/** @throws Error that is worded to follow the file's name */
function readSecret(file: string): string {
  const text = readText(file).replace(/(?:\r?\n)+$/, '');
  if (text.trim() === '') throw new Error('is empty');
  return text;
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Error(`cannot be read: ${code}`, { cause: error });
  }
}
