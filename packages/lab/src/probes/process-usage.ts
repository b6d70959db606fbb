import { readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';

/** Linux reports CPU time in hundredths of a second on common machines. */
const MICROSECONDS_PER_TICK = 10_000;
/** Indexes of fields after the program's name, which may contain any character. */
const USER_TICKS = 11;
const SYSTEM_TICKS = 12;

/**
 * CPU time of the processes since their start, in µs, including kernel time.
 * @returns undefined when a process is gone or the system has no /proc
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

/** Resident memory of the processes together, in KB; undefined when it cannot be read. */
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

/** Limit of open files of this process and its children; infinite when unknown. */
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
