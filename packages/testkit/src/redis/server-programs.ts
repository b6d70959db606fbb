import { existsSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, '../../../../node_modules/.cache/redis-servers');

/** A server that `npm test` downloads, see scripts/ensure-redis-servers.mjs. */
export interface ServerProgram {
  readonly name: string;
  readonly path: string;
  /** Whether the download has succeeded. */
  readonly isThere: boolean;
}

/** Servers of other kinds and versions than the `redis-server` of this machine. */
export const SERVER_PROGRAMS: readonly ServerProgram[] = [
  serverProgram('Redis 8', 'redis-8'),
  serverProgram('Valkey 9', 'valkey-9'),
];

/** The newest Redis that Leque refuses. */
export const OLD_REDIS: ServerProgram = serverProgram('Redis 6', 'redis-6');

function serverProgram(name: string, file: string): ServerProgram {
  const path = join(FOLDER, file);
  return { name, path, isThere: existsSync(path) };
}
