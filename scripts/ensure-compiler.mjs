// The benchmark's load generator and its floor are C programs: `npm test` and `npm run bench` need
// a C compiler. Plain JavaScript without dependencies, for the machine's own Node. Prints to
// stderr only.
import { spawnSync } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { canInstall, installPackages } from './debian-packages.mjs';

const compilers = ['cc', 'gcc', 'clang'];
const probeDeadlineMs = 10_000;

/** @returns {string | undefined} instructions when no compiler is available, else undefined */
export function ensureCompiler() {
  if (process.platform !== 'linux' || isAvailable()) return undefined;
  if (canInstall()) {
    process.stderr.write('No C compiler found: installing the packages gcc and libc6-dev…\n');
    const problem = installPackages('gcc', 'libc6-dev');
    if (problem === undefined && isAvailable()) return undefined;
    if (problem !== undefined) process.stderr.write(problem);
  }
  return 'The benchmark needs a C compiler (cc), and found none: install gcc and libc6-dev.';
}

function isAvailable() {
  return compilers.some(
    (name) => spawnSync(name, ['--version'], { timeout: probeDeadlineMs }).status === 0,
  );
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const problem = ensureCompiler();
  if (problem !== undefined) {
    process.stderr.write(`\n${problem}\n`);
    process.exitCode = 1;
  }
}
