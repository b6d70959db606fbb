import { Redis } from 'ioredis';

const TIMEOUT_MS = 2000;

/**
 * One command to one server of 127.0.0.1, on a connection of its own.
 * @throws Error the one that it answers with, or when it does not answer
 */
export async function ask(port: number, command: string, ...args: string[]): Promise<unknown> {
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
    return await redis.call(command, ...args);
  } finally {
    redis.disconnect();
  }
}

/** The same, but undefined where there is no answer. */
export async function askIfThere(
  port: number,
  command: string,
  ...args: string[]
): Promise<unknown> {
  return ask(port, command, ...args).catch(() => undefined);
}
