import { readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';

/** Linux counts the CPU time that it shows in hundredths of a second, on every common machine. */
const MICROSECONDS_PER_TICK = 10_000;
/** In what follows the name of the program, which may contain anything. */
const USER_TICKS = 11;
const SYSTEM_TICKS = 12;

/**
 * CPU time that the processes have used since they started, in µs, kernel time included.
 * @returns undefined where a process is gone, or the system does not tell
 */
export function cpuMicroseconds(pids: readonly number[]): number | undefined {
  return sumOf(pids, (pid) => {
    const stat = readFile(pid, 'stat');
    const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields === undefined) return undefined;
    const ticks = Number(fields[USER_TICKS]) + Number(fields[SYSTEM_TICKS]);
    return ticks * MICROSECONDS_PER_TICK;
  });
}

/** Resident memory of the processes together, in KB; undefined as above. */
export function residentKb(pids: readonly number[]): number | undefined {
  return sumOf(pids, (pid) => {
    const [, kb] = /^VmRSS:\s+(\d+) kB$/m.exec(readFile(pid, 'status') ?? '') ?? [];
    return kb === undefined ? undefined : Number(kb);
  });
}

export function runsOnNode(pid: number): boolean {
  try {
    return basename(readlinkSync(`/proc/${pid}/exe`)) === 'node';
  } catch {
    return false;
  }
}

/** Files that this process, and so those it starts, may have open. */
export function openFileLimit(): number {
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8');
    const [, hard] = /^Max open files\s+\d+\s+(\d+)/m.exec(limits) ?? [];
    return hard === undefined ? Number.POSITIVE_INFINITY : Number(hard);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

function sumOf(
  pids: readonly number[],
  read: (pid: number) => number | undefined,
): number | undefined {
  let sum: number | undefined;
  for (const pid of pids) {
    const value = read(pid);
    if (value === undefined) return undefined;
    sum = (sum ?? 0) + value;
  }
  return sum;
}

function readFile(pid: number, file: 'stat' | 'status'): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return undefined;
  }
}
