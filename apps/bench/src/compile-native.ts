import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename } from 'node:fs/promises';
import { platform, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const SOURCES = join(import.meta.dirname, 'native');
const CACHE = join(import.meta.dirname, '../../../node_modules/.cache');
const COMPILERS = ['cc', 'gcc', 'clang'];
const FLAGS = ['-std=c11', '-O2', '-pthread'];
const COMPILE_TIMEOUT_MS = 60_000;

const PROGRAMS = {
  load: [
    'load.c',
    'outcome.c',
    'receive.c',
    'connection.c',
    'tally.c',
    'publisher.c',
    'spec.c',
    'files.c',
    'stamps.c',
    'frames.c',
    'common.c',
  ],
  floor: ['floor.c', 'subscriber.c', 'handshake.c', 'common.c'],
  http_load: ['http_load.c', 'files.c', 'common.c'],
} as const;

export type NativeProgram = keyof typeof PROGRAMS;

/**
 * Compiles a program of native/, unless it has been compiled before from the same sources.
 * Resolves with the path of the executable, or with undefined where there is no C compiler or no
 * Linux. Rejects, with what the compiler says, if it does not compile.
 */
export async function compileNative(name: NativeProgram): Promise<string | undefined> {
  if (platform() !== 'linux') return undefined;
  const folder = await cacheFolder(await hashOfSources());
  const executable = join(folder, name);
  if (existsSync(executable)) return executable;
  const unfinished = `${executable}.${process.pid}`;
  const sources = PROGRAMS[name].map((file) => join(SOURCES, file));
  if (!(await compile([...FLAGS, '-o', unfinished, ...sources]))) return undefined;
  await rename(unfinished, executable); // another process may be running or compiling it
  return executable;
}

/** False if there is no compiler. */
async function compile(args: readonly string[]): Promise<boolean> {
  for (const compiler of COMPILERS) {
    try {
      await run(compiler, args, { timeout: COMPILE_TIMEOUT_MS });
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  return false;
}

async function hashOfSources(): Promise<string> {
  const hash = createHash('sha256').update(FLAGS.join(' '));
  const files = (await readdir(SOURCES)).filter((file) => /\.[ch]$/.test(file)).sort();
  for (const file of files) hash.update(`${file}\n`).update(await readFile(join(SOURCES, file)));
  return hash.digest('hex').slice(0, 16);
}

/** Where dependencies are read-only, as in an image, each process compiles for itself. */
async function cacheFolder(hash: string): Promise<string> {
  const folder = join(CACHE, `leque-bench-${hash}`);
  try {
    await mkdir(folder, { recursive: true });
    return folder;
  } catch {
    return mkdtemp(join(tmpdir(), 'leque-bench-'));
  }
}
