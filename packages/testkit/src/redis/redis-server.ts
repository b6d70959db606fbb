import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../lib/free-ports.ts';
import { RedisProcess } from './redis-process.ts';
import type { RedisOptions, TestRedis } from './test-redis.ts';

const ATTEMPTS = 3;
const CONFIG_FILE = 'redis.conf';

export interface ServerSettings {
  readonly port: number;
  /** Lines of the configuration file, which the server may rewrite. */
  readonly config: readonly string[];
  readonly sentinel?: boolean;
}

/** A redis-server at a port of 127.0.0.1, in a temporary folder. */
export class RedisServer implements TestRedis {
  readonly port: number;
  readonly url: string;
  readonly #dir: string;
  readonly #args: readonly string[];
  #process: RedisProcess;

  private constructor(settings: ServerSettings, dir: string, process: RedisProcess) {
    this.port = settings.port;
    this.url = `redis://127.0.0.1:${settings.port}`;
    this.#dir = dir;
    this.#args = argsOf(settings);
    this.#process = process;
  }

  static async start(settings: ServerSettings): Promise<RedisServer> {
    const dir = await mkdtemp(join(tmpdir(), 'leque-redis-'));
    const lines = [`port ${settings.port}`, 'bind 127.0.0.1', ...settings.config, ''];
    await writeFile(join(dir, CONFIG_FILE), lines.join('\n'));
    try {
      return new RedisServer(settings, dir, await RedisProcess.launch(dir, argsOf(settings)));
    } catch (error) {
      await rm(dir, { recursive: true, force: true });
      throw error;
    }
  }

  get running(): boolean {
    return this.#process.running;
  }

  async stop(): Promise<void> {
    await this.#process.end('SIGTERM');
  }

  async kill(): Promise<void> {
    await this.#process.end('SIGKILL');
  }

  async restart(): Promise<void> {
    await this.stop();
    this.#process = await RedisProcess.launch(this.#dir, this.#args);
  }

  async pause(): Promise<void> {
    this.#process.signal('SIGSTOP');
  }

  async resume(): Promise<void> {
    this.#process.signal('SIGCONT');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await rm(this.#dir, { recursive: true, force: true });
  }
}

/** A redis-server on a free port. */
export function startRedisServer(options: RedisOptions): Promise<TestRedis> {
  return onFreePorts(1, ([port = 0]) => RedisServer.start({ port, config: dataConfig(options) }));
}

/** Configuration of persistence: nothing is written, or every command at once. */
export function dataConfig({ appendonly = false }: RedisOptions): string[] {
  return ['save ""', `appendonly ${appendonly ? 'yes' : 'no'}`, 'appendfsync always'];
}

/** Starts servers, on other ports again when another process has taken a port meanwhile. */
export async function onFreePorts<T>(
  count: number,
  start: (ports: readonly number[]) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    const first = await freePorts(count);
    try {
      return await start(Array.from({ length: count }, (_, index) => first + index));
    } catch (error) {
      if (attempt === ATTEMPTS || !String(error).includes('Address already in use')) throw error;
    }
  }
}

function argsOf({ sentinel = false }: ServerSettings): string[] {
  return sentinel ? [CONFIG_FILE, '--sentinel'] : [CONFIG_FILE];
}
