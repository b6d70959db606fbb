import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('../../../../.leque', import.meta.url));
const FILE = `${FOLDER}/dev-secret`;

/**
 * Reads the secret of this machine's development servers, or makes it at random the first time. It
 * is kept in a file, so that tokens survive a restart and `leque token` fits a running `leque dev`.
 */
export function devSecret(): string {
  try {
    return readFileSync(FILE, 'utf8').trim();
  } catch {
    const secret = randomBytes(32).toString('base64url');
    mkdirSync(FOLDER, { recursive: true });
    // Two processes may start at once: the first one writes the file, the other one reads it.
    try {
      writeFileSync(FILE, `${secret}\n`, { mode: 0o600, flag: 'wx' });
      return secret;
    } catch {
      return readFileSync(FILE, 'utf8').trim();
    }
  }
}
