// Tests and `npm run cluster` use a real Redis: the one at REDIS_URL, a redis-server that they
// start themselves, or one in a container. This script makes sure that one of the three exists.
// Plain JavaScript without dependencies, for the machine's own Node. Prints to stderr only.
import { spawnSync } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { canInstall, installPackages } from './debian-packages.mjs';

const oldestMajor = 7; // the first version with Redis Functions, which every publication uses
const probeDeadlineMs = 5_000;

/** @returns {string | undefined} instructions when no Redis is available, else undefined */
export function ensureRedis() {
  if (isAvailable()) return undefined;
  if (canInstall()) {
    process.stderr.write('No Redis found: installing the package redis-server…\n');
    const problem = installPackages('redis-server');
    if (problem === undefined && isAvailable()) return undefined;
    if (problem !== undefined) process.stderr.write(problem);
  }
  return (
    `Leque needs a Redis of version ${oldestMajor}.0 or newer, and found none. Do one of these:\n` +
    '  - install redis-server, so that it is on the PATH\n' +
    '  - start a container engine that `docker info` reaches\n' +
    '  - set REDIS_URL to a Redis that may be written to'
  );
}

function isAvailable() {
  return Boolean(process.env.REDIS_URL) || redisMajor() >= oldestMajor || containersRun();
}

/** 0 when there is no redis-server. */
function redisMajor() {
  const { stdout } = spawnSync('redis-server', ['--version'], { timeout: probeDeadlineMs });
  return Number(/ v=(\d+)\./.exec(String(stdout))?.[1] ?? 0);
}

/** Having the command is not enough: `docker info` fails when its daemon does not answer. */
function containersRun() {
  const options = { stdio: 'ignore', timeout: probeDeadlineMs, killSignal: 'SIGKILL' };
  return spawnSync('docker', ['info'], options).status === 0;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const problem = ensureRedis();
  if (problem !== undefined) {
    process.stderr.write(`\n${problem}\n`);
    process.exitCode = 1;
  }
}
