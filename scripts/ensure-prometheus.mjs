// Tests run the queries of the dashboards on a real Prometheus, and check the alerts with promtool.
// These tests are skipped where the programs cannot be installed. Prints to stderr only.
import { spawnSync } from 'node:child_process';
import { canInstall, installPackages } from './debian-packages.mjs';

const programs = ['prometheus', 'promtool', 'prometheus-redis-exporter'];
const packages = ['prometheus', 'prometheus-redis-exporter'];
const probeDeadlineMs = 10_000;

export function ensurePrometheus() {
  if (programs.every(isInstalled)) return;
  if (!canInstall()) {
    process.stderr.write('No Prometheus found: the tests of dashboards and alerts are skipped.\n');
    return;
  }
  process.stderr.write('No Prometheus found: installing it…\n');
  const problem = installPackages(...packages);
  if (problem !== undefined) process.stderr.write(`${problem}Those tests are skipped.\n`);
}

function isInstalled(program) {
  return spawnSync(program, ['--version'], { timeout: probeDeadlineMs }).status === 0;
}
