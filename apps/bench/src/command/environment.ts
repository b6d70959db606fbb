import { spawnSync } from 'node:child_process';
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';
import { openFileLimit } from '@leque/lab';
import type { Environment } from '../results/results.ts';

const PROBE_TIMEOUT_MS = 5000;
const BYTES_PER_MB = 1024 * 1024;

/** The machine and the versions on it. */
export function describeEnvironment(): Environment {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryMb: Math.round(totalmem() / BYTES_PER_MB),
    kernel: `${type()} ${release()}`,
    node: process.version,
    redis: /v=(\S+)/.exec(say('redis-server', '--version'))?.[1] ?? 'in a container',
    commit: say('git', '-C', import.meta.dirname, 'describe', '--always', '--dirty').trim(),
    openFiles: openFileLimit(),
  };
}

function say(command: string, ...args: readonly string[]): string {
  const { stdout, status } = spawnSync(command, args, { timeout: PROBE_TIMEOUT_MS });
  return status === 0 ? String(stdout) : '';
}
