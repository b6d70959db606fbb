import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { freePorts } from '../lib/free-ports.ts';
import type { RedisOptions, TestRedis } from './test-redis.ts';

const IMAGE = 'redis:8.2-alpine';
const REDIS_PORT = 6379;
const DOCKER_TIMEOUT_MS = 10_000;

/** Redis in a container, for machines that have Docker but no redis-server. */
export async function startRedisContainer({
  appendonly = false,
}: RedisOptions): Promise<TestRedis> {
  // Loaded here only, because it is large and most machines have redis-server.
  const { GenericContainer, Wait } = await import('testcontainers');
  // A fixed port, because one that Docker chooses changes with a restart.
  const port = await freePorts(1);
  const container = await new GenericContainer(IMAGE)
    .withCommand(['redis-server', '--save', '', '--appendonly', appendonly ? 'yes' : 'no'])
    .withExposedPorts({ container: REDIS_PORT, host: port })
    .withWaitStrategy(Wait.forLogMessage('Ready to accept connections'))
    .start();
  const end = async (command: string[]) => {
    // The command fails, because the container stops while it runs.
    await container.exec(command).catch(() => {});
  };
  return {
    url: `redis://${container.getHost()}:${port}`,
    port,
    stop: () => end(['redis-cli', 'shutdown']),
    kill: () => end(['redis-cli', 'shutdown', 'nosave', 'now', 'force']),
    restart: () => container.restart(),
    pause: () => docker('pause', container.getId()),
    resume: () => docker('unpause', container.getId()),
    fillDisk: async () => {
      throw new Error('the files of a Redis in a container cannot be limited');
    },
    [Symbol.asyncDispose]: async () => {
      await container.stop();
    },
  };
}

async function docker(...args: string[]): Promise<void> {
  await promisify(execFile)('docker', args, { timeout: DOCKER_TIMEOUT_MS });
}
