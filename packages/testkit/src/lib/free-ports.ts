import { createServer } from 'node:net';

/** These ports are below the range for outgoing connections, which tests open by the thousand. */
const FIRST_PORT = 10_000;
const LAST_PORT = 29_999;

/**
 * Finds consecutive free ports on 127.0.0.1, and returns the first. They stay free for a server
 * that is started later or again, because outgoing connections do not use them.
 */
export async function freePorts(count: number): Promise<number> {
  for (;;) {
    const first = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT - count));
    const ports = Array.from({ length: count }, (_, index) => first + index);
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
