import { Redis } from 'ioredis';

const TIMEOUT_MS = 2000;

/**
 * Sends one command.
 * @throws Error the error reply, or that there was no answer
 */
export type Ask = (command: string, ...args: string[]) => Promise<unknown>;

/** Sends one command to a server of 127.0.0.1, on a connection of its own. */
export function ask(port: number, command: string, ...args: string[]): Promise<unknown> {
  return asking(port, (send) => send(command, ...args));
}

/** Sends one command; undefined when there is no answer. */
export async function askIfThere(
  port: number,
  command: string,
  ...args: string[]
): Promise<unknown> {
  return ask(port, command, ...args).catch(() => undefined);
}

/** Sends several commands on one connection. */
export async function asking<T>(port: number, use: (send: Ask) => Promise<T>): Promise<T> {
  const redis = new Redis({
    host: '127.0.0.1',
    port,
    lazyConnect: true,
    enableReadyCheck: false,
    connectTimeout: TIMEOUT_MS,
    commandTimeout: TIMEOUT_MS,
    retryStrategy: () => null,
  });
  redis.on('error', () => {}); // the call below says it
  try {
    await redis.connect();
    return await use((command, ...args) => redis.call(command, ...args));
  } finally {
    redis.disconnect();
  }
}
