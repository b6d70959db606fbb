import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('../../../../.leque', import.meta.url));
const FILE = `${FOLDER}/dev-secret`;

/** The secret cannot be kept, because the folder of the repository cannot be written. */
export class SecretNotKept extends Error {
  override readonly name = 'SecretNotKept';

  constructor(cause: unknown) {
    super('.leque/dev-secret cannot be written; set JWT_SECRET', { cause });
  }
}

/**
 * Reads the secret of this machine's development servers, or makes it at random the first time. It
 * is kept in a file, so that tokens survive a restart and `leque token` fits a running `leque dev`.
 * @throws SecretNotKept when there is none yet and the file cannot be written
 */
export function devSecret(): string {
  const secret = tryReadSecret() ?? keepSecret(randomSecret());
  if (secret instanceof Error) throw new SecretNotKept(secret);
  return secret;
}

export function randomSecret(): string {
  return randomBytes(32).toString('base64url');
}

function tryReadSecret(): string | undefined {
  try {
    return readFileSync(FILE, 'utf8').trim() || undefined;
  } catch {
    return undefined;
  }
}

/** Two processes may start at once: the first one writes the file, the other one reads it. */
function keepSecret(secret: string): string | Error {
  try {
    mkdirSync(FOLDER, { recursive: true });
    writeFileSync(FILE, `${secret}\n`, { mode: 0o600, flag: 'wx' });
    return secret;
  } catch (error) {
    return tryReadSecret() ?? (error as Error);
  }
}
