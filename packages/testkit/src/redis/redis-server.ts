import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePorts } from '../lib/free-ports.ts';
import { LossyNetwork } from './lossy-network.ts';
import { RedisProcess } from './redis-process.ts';
import type { RedisOptions, TestRedis } from './test-redis.ts';

const ATTEMPTS = 3;
const CONFIG_FILE = 'redis.conf';
/** Beyond this size no file can be written on a full disk. */
const FULL_AT_BYTES = 1;
const PRLIMIT_TIMEOUT_MS = 5000;

export interface ServerSettings {
  readonly port: number;
  /** Lines of the configuration file, which the server may rewrite. */
  readonly config: readonly string[];
  readonly sentinel?: boolean;
  /** `redis-server` by default. */
  readonly program?: string | undefined;
  /** The network in which it runs alone; that of this process otherwise. */
  readonly network?: LossyNetwork;
}

/** A redis-server in a temporary folder, at a port of 127.0.0.1 or in a network of its own. */
export class RedisServer implements TestRedis {
  readonly port: number;
  readonly url: string;
  readonly #dir: string;
  readonly #settings: ServerSettings;
  #process: RedisProcess;

  private constructor(settings: ServerSettings, dir: string, process: RedisProcess) {
    this.port = settings.port;
    this.url = `redis://${settings.network?.address ?? '127.0.0.1'}:${settings.port}`;
    this.#dir = dir;
    this.#settings = settings;
    this.#process = process;
  }

  static async start(settings: ServerSettings): Promise<RedisServer> {
    const dir = await mkdtemp(join(tmpdir(), 'leque-redis-'));
    const reach = settings.network ? ['bind *', 'protected-mode no'] : ['bind 127.0.0.1'];
    const lines = [`port ${settings.port}`, ...reach, ...settings.config, ''];
    await writeFile(join(dir, CONFIG_FILE), lines.join('\n'));
    try {
      return new RedisServer(settings, dir, await launch(settings, dir));
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
    this.#process = await launch(this.#settings, this.#dir);
  }

  async pause(): Promise<void> {
    this.#process.signal('SIGSTOP');
  }

  async resume(): Promise<void> {
    this.#process.signal('SIGCONT');
  }

  async fillDisk(isFull: boolean): Promise<void> {
    const limit = isFull ? FULL_AT_BYTES : 'unlimited';
    const args = ['--pid', String(this.#process.pid), `--fsize=${limit}:`];
    await promisify(execFile)('prlimit', args, { timeout: PRLIMIT_TIMEOUT_MS });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await rm(this.#dir, { recursive: true, force: true });
  }
}

/** A redis-server on a free port. */
export function startRedisServer(options: RedisOptions): Promise<TestRedis> {
  const config = [...dataConfig(options), ...(options.config ?? [])];
  return onFreePorts(1, ([port = 0]) =>
    RedisServer.start({ port, config, program: options.program }),
  );
}

/** A Redis in a network of its own, which can lose packets. */
export interface LossyRedis extends TestRedis {
  /** Loses this share of the packets in each direction from now on, from 0 to 1. */
  lose(share: number): Promise<void>;
}

/** A redis-server in a network that can lose packets; see `lossyNetworkMissing`. */
export async function startLossyRedis(options: RedisOptions): Promise<LossyRedis> {
  const network = new LossyNetwork();
  const server = await onFreePorts(1, ([port = 0]) =>
    RedisServer.start({ port, config: dataConfig(options), network }),
  );
  return Object.assign(server, { lose: (share: number) => network.lose(share) });
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

async function launch(settings: ServerSettings, dir: string): Promise<RedisProcess> {
  const { network, program = 'redis-server' } = settings;
  const within = network?.command ?? [];
  const process = await RedisProcess.launch({ dir, program, args: argsOf(settings), within });
  await network?.join(process.pid);
  return process;
}

function argsOf({ sentinel = false }: ServerSettings): string[] {
  return sentinel ? [CONFIG_FILE, '--sentinel'] : [CONFIG_FILE];
}
