import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';

const run = promisify(execFile);

/**
 * Sends one command with `redis-cli`, or with a plain Redis client where that is not installed, to
 * prove that publishers need no code of Leque.
 */
export async function redisCommand(url: string, ...command: string[]): Promise<unknown> {
  try {
    const { stdout } = await run('redis-cli', ['-u', url, '--json', ...command]);
    return replyOf(stdout);
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ENOENT') throw error;
  }
  const redis = new Redis(url);
  try {
    const [name = '', ...args] = command;
    return await redis.call(name, ...args);
  } finally {
    redis.disconnect();
  }
}

/** `redis-cli --json` prints every reply as JSON except errors. */
function replyOf(stdout: string): unknown {
  if (stdout.startsWith('error:')) throw new Error(stdout);
  return JSON.parse(stdout);
}
