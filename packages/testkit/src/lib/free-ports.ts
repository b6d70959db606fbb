import { createServer } from 'node:net';

/** These ports are below the range for outgoing connections, which tests open by the thousand. */
const FIRST_PORT = 10_000;
const LAST_PORT = 29_999;
/** Ports of one test worker; workers of vitest are numbered from 1. */
const PORTS_PER_WORKER = 3000;
const MAX_WORKERS = 4;

const handedOut = new Set<number>();

/**
 * Finds consecutive free ports on 127.0.0.1, and returns the first. They stay free for a server
 * that is started later or again: outgoing connections do not use them, this process hands out
 * each port once, and test workers have ranges of their own.
 */
export async function freePorts(count: number): Promise<number> {
  const [from, to] = rangeOf(Number(process.env['VITEST_POOL_ID']));
  for (;;) {
    const first = from + Math.floor(Math.random() * (to - from - count));
    const ports = Array.from({ length: count }, (_, index) => first + index);
    if (ports.some((port) => handedOut.has(port))) continue;
    for (const port of ports) handedOut.add(port);
    if ((await Promise.all(ports.map(isPortFree))).every((free) => free)) return first;
  }
}

/** Whether nothing listens on the port of 127.0.0.1. */
export function isPortFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** Processes that are not test workers share the ports above the workers' ranges. */
function rangeOf(worker: number): readonly [from: number, to: number] {
  const isWorker = worker >= 1 && worker <= MAX_WORKERS;
  if (!isWorker) return [FIRST_PORT + MAX_WORKERS * PORTS_PER_WORKER, LAST_PORT];
  const from = FIRST_PORT + (worker - 1) * PORTS_PER_WORKER;
  return [from, from + PORTS_PER_WORKER - 1];
}
