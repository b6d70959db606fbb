import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename } from 'node:fs/promises';
import { platform, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { StartError } from '@leque/service';

const run = promisify(execFile);
const SOURCES = join(import.meta.dirname, '../native');
const CACHE = join(import.meta.dirname, '../../../../node_modules/.cache');
const COMPILERS = ['cc', 'gcc', 'clang'];
const FLAGS = ['-std=c11', '-O2', '-pthread'];
const COMPILE_TIMEOUT_MS = 60_000;
const NO_COMPILER =
  'The benchmark needs Linux and a C compiler (cc), because its load generator is written in C; ' +
  'on Debian: apt-get install gcc libc6-dev';

/** The sources of each program; headers are not listed. */
const PROGRAMS = {
  load: [
    'load/load.c',
    'load/outcome.c',
    'load/receive.c',
    'load/connection.c',
    'load/tally.c',
    'load/publisher.c',
    'load/spec.c',
    'stream/stamps.c',
    'stream/frames.c',
    'lib/files.c',
    'lib/common.c',
  ],
  floor: ['floor/floor.c', 'floor/subscriber.c', 'floor/handshake.c', 'lib/common.c'],
  http_load: ['http-load/http_load.c', 'lib/files.c', 'lib/common.c'],
} as const;

export type NativeProgram = keyof typeof PROGRAMS;

/** Callers at the same time share one compilation; two would write the same file. */
const compiling = new Map<NativeProgram, Promise<string>>();

/**
 * Compiles a program of native/, unless it has been compiled before from the same sources.
 * @returns the path of the executable
 * @throws StartError where there is no C compiler or no Linux; Error with the compiler's output
 * when the program does not compile
 */
export function compileNative(name: NativeProgram): Promise<string> {
  const known = compiling.get(name);
  if (known !== undefined) return known;
  const compiled = compileOnce(name);
  compiling.set(name, compiled);
  return compiled;
}

async function compileOnce(name: NativeProgram): Promise<string> {
  if (platform() !== 'linux') throw new StartError(NO_COMPILER);
  const folder = await cacheFolder(await hashOfSources());
  const executable = join(folder, name);
  if (existsSync(executable)) return executable;
  const unfinished = `${executable}.${process.pid}`;
  const sources = PROGRAMS[name].map((file) => join(SOURCES, file));
  await compile([...FLAGS, '-o', unfinished, ...sources]);
  await rename(unfinished, executable); // another process may be running or compiling it
  return executable;
}

async function compile(args: readonly string[]): Promise<void> {
  for (const compiler of COMPILERS) {
    try {
      await run(compiler, args, { timeout: COMPILE_TIMEOUT_MS });
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  throw new StartError(NO_COMPILER);
}

async function hashOfSources(): Promise<string> {
  const hash = createHash('sha256').update(FLAGS.join(' '));
  const names = await readdir(SOURCES, { recursive: true });
  for (const name of names.filter((each) => /\.[ch]$/.test(each)).sort()) {
    hash.update(`${name}\n`).update(await readFile(join(SOURCES, name)));
  }
  return hash.digest('hex').slice(0, 16);
}

/** Where node_modules cannot be written, as in an image, each process compiles for itself. */
async function cacheFolder(hash: string): Promise<string> {
  const folder = join(CACHE, `leque-bench-${hash}`);
  try {
    await mkdir(folder, { recursive: true });
    return folder;
  } catch {
    return mkdtemp(join(tmpdir(), 'leque-bench-'));
  }
}
