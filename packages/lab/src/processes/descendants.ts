import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** The pids of all descendants of a process, without zombies. */
export function descendantsOf(pid: number): number[] {
  const all = listProcesses();
  const childrenOf = (parent: number): number[] =>
    all
      .filter((each) => each.parent === parent)
      .flatMap((each) => [each.pid, ...childrenOf(each.pid)]);
  return childrenOf(pid);
}

export function isAlive(pid: number): boolean {
  return listProcesses().some((each) => each.pid === pid);
}

function listProcesses(): { pid: number; parent: number }[] {
  return process.platform === 'linux' ? readProc() : askPs();
}

/** Small Linux images have no `ps`. */
function readProc(): { pid: number; parent: number }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
        const [state = '', parent = ''] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        return state === 'Z' ? [] : [{ pid: Number(name), parent: Number(parent) }];
      } catch {
        return []; // it has ended meanwhile
      }
    });
}

function askPs(): { pid: number; parent: number }[] {
  const lines = execFileSync('ps', ['-axo', 'pid=,ppid=,state='], { encoding: 'utf8' }).split('\n');
  return lines.flatMap((line) => {
    const [pid, parent, state] = line.trim().split(/\s+/);
    return pid && !state?.startsWith('Z') ? [{ pid: Number(pid), parent: Number(parent) }] : [];
  });
}
