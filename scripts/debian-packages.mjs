// Programs that tests use, from Debian's packages. Plain JavaScript without dependencies, for the
// machine's own Node.
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';

const aptDeadlineMs = 10 * 60_000;
const startPolicy = '/usr/sbin/policy-rc.d';

export function canInstall() {
  return existsSync('/etc/debian_version') && process.getuid?.() === 0;
}

/** @returns {string | undefined} apt's output when it failed */
export function installPackages(...names) {
  const release = forbidServices();
  try {
    return apt('update') ?? apt('install', '-y', '--no-install-recommends', ...names);
  } finally {
    release();
  }
}

function apt(...args) {
  const { status, error, stdout, stderr } = spawnSync('apt-get', args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    timeout: aptDeadlineMs,
  });
  if (status === 0) return undefined;
  return `${stdout ?? ''}${stderr ?? ''}apt-get ${args[0]}: ${error?.message ?? `exit ${status}`}\n`;
}

/**
 * Only the program is wanted. A service started by the package would take port 6379, and where
 * nothing can start services the installation would fail over it.
 */
function forbidServices() {
  if (existsSync(startPolicy)) return () => {};
  writeFileSync(startPolicy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  return () => rmSync(startPolicy, { force: true });
}
