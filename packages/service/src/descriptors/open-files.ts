import { readFileSync } from 'node:fs';

/** Open files of a process beside its clients: libraries, Redis, logs, and other HTTP connections. */
const OTHER_FILES = 200;

/** Says what does not fit when there are fewer open files than connections; undefined when all fit. */
export function tooFewOpenFiles(
  maxConnections: number,
  limit = openFilesLimit(),
): string | undefined {
  const needed = maxConnections + OTHER_FILES;
  if (limit === undefined || limit >= needed) return undefined;
  return (
    `WEBSOCKET_MAX_CONNECTIONS=${maxConnections} takes about ${needed} open files, and ulimit -n ` +
    `allows ${limit}`
  );
}

/**
 * The most files that this process may have open (`ulimit -n`; Node raises it to the hard limit at
 * its start). Undefined where it is unlimited, or where the system does not say.
 */
function openFilesLimit(): number | undefined {
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8');
    const [, soft] = /^Max open files\s+(\d+)/m.exec(limits) ?? [];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined; // only Linux has this file
  }
}
