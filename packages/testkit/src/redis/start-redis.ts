import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { startRedisContainer } from './redis-container.ts';
import { startRedisServer } from './redis-server.ts';
import type { RedisOptions, TestRedis } from './test-redis.ts';

const OLDEST_MAJOR = 7;
const PROBE_TIMEOUT_MS = 5000;

/** The Redis at REDIS_URL, else a redis-server of our own, else one in a container. */
export async function startRedis(options: RedisOptions = {}): Promise<TestRedis> {
  const shared = sharedUrl();
  const { own, appendonly, program, config } = options;
  const isOrdinary = program === undefined && config === undefined;
  if (shared !== undefined && !own && !appendonly && isOrdinary) return sharedRedis(shared);
  if (!isOrdinary || hasRedisServer()) return startRedisServer(options);
  if (hasContainers()) return startRedisContainer(options);
  throw new Error(
    'This needs a Redis 7.0 or newer: install redis-server, start Docker, or set REDIS_URL',
  );
}

/** False where only a shared Redis is available; tests that need their own are skipped then. */
export function canOwnRedis(): boolean {
  return hasRedisServer() || hasContainers();
}

/** Whether this machine has redis-server, which Sentinel and Redis Cluster need. */
export function hasRedisServer(): boolean {
  const { stdout } = spawnSync('redis-server', ['--version'], { timeout: PROBE_TIMEOUT_MS });
  return Number(/ v=(\d+)\./.exec(String(stdout))?.[1] ?? 0) >= OLDEST_MAJOR;
}

/** A REDIS_KEY_PREFIX that no other test uses. */
export function uniquePrefix(): string {
  return `leque-test-${randomUUID().slice(0, 13)}:`;
}

function sharedUrl(): string | undefined {
  return process.env['REDIS_URL'] || undefined;
}

function sharedRedis(url: string): TestRedis {
  const refuse = async (): Promise<never> => {
    throw new Error('The Redis at REDIS_URL is not ours to stop; use startRedis({ own: true })');
  };
  return {
    url,
    // A URL of several servers has no single port.
    port: Number(URL.parse(url)?.port || 6379),
    stop: async () => {},
    kill: refuse,
    restart: refuse,
    pause: refuse,
    resume: refuse,
    fillDisk: refuse,
    [Symbol.asyncDispose]: async () => {},
  };
}

function hasContainers(): boolean {
  const options = { stdio: 'ignore', timeout: PROBE_TIMEOUT_MS } as const;
  return spawnSync('docker', ['info'], options).status === 0;
}
