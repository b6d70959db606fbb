import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Exit, SupervisedProcess } from './supervised-process.ts';

export type Env = Readonly<Record<string, string>>;

export interface ServerOptions {
  /** Name of the program in error messages. */
  readonly name: string;
  /** Program file, relative to the root of the repository. */
  readonly entry: string;
  readonly args?: readonly string[];
  readonly port: number;
  readonly env: Env;
  /** Its `ulimit -n`; that of this process when it is undefined. */
  readonly openFiles?: number;
}

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 10_000;
const PROBE_INTERVAL_MS = 20;
const PROBE_TIMEOUT_MS = 1000;

/** A Node program of this repository in a process of its own. */
export class RunningProcess extends SupervisedProcess {
  /** @param entry path from the root of the repository */
  constructor(entry: string, args: readonly string[], env: Env) {
    super([process.execPath, entry, ...args], { cwd: ROOT, env: { ...inherited(), ...env } });
  }
}

/** A server on a port of 127.0.0.1 that can be stopped and started again at the same address. */
export class ServerProcess implements AsyncDisposable {
  readonly url: string;
  readonly #options: ServerOptions;
  #process: SupervisedProcess;

  private constructor(options: ServerOptions) {
    this.#options = options;
    this.url = `http://127.0.0.1:${options.port}`;
    this.#process = this.#launch();
  }

  /** @throws Error with its output when it ends or is not ready in time */
  static async start(options: ServerOptions): Promise<ServerProcess> {
    const server = new ServerProcess(options);
    await server.#ready();
    return server;
  }

  get pid(): number {
    return this.#process.pid;
  }

  get running(): boolean {
    return this.#process.running;
  }

  get output(): string {
    return this.#process.output;
  }

  get exited(): Promise<Exit> {
    return this.#process.exited;
  }

  /** Stops it in an orderly way. */
  async stop(signal: NodeJS.Signals = 'SIGTERM', patienceMs = STOP_TIMEOUT_MS): Promise<Exit> {
    return this.#process.stop(signal, patienceMs);
  }

  /** Kills it without a shutdown. */
  async kill(): Promise<void> {
    await this.#process.stop('SIGKILL');
  }

  /** Freezes it until `resume`; its connections stay open. */
  pause(): void {
    this.#process.signal('SIGSTOP');
  }

  resume(): void {
    this.#process.signal('SIGCONT');
  }

  /** Starts it again at the same address, after killing it if it still runs. */
  async restart(): Promise<void> {
    await this.kill();
    this.#process = this.#launch();
    await this.#ready();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  #launch(): SupervisedProcess {
    const { entry, args = [], port, openFiles } = this.#options;
    const env = { HOST: '127.0.0.1', ...this.#options.env, PORT: String(port) };
    if (openFiles === undefined) return new RunningProcess(entry, args, env);
    const limited = ['sh', '-c', `ulimit -n ${openFiles} && exec "$0" "$@"`];
    const command = [...limited, process.execPath, entry, ...args];
    return new SupervisedProcess(command, { cwd: ROOT, env: { ...inherited(), ...env } });
  }

  async #ready(): Promise<void> {
    const deadline = Date.now() + START_TIMEOUT_MS;
    while (this.running && Date.now() < deadline) {
      if ((await statusOf(`${this.url}/readyz`)) === 200) return;
      await delay(PROBE_INTERVAL_MS);
    }
    const state = this.running ? 'is not ready' : 'ended before it was ready';
    await this.kill();
    throw new Error(`${this.#options.name} ${state}; its output:\n${this.output}`);
  }
}

async function statusOf(url: string): Promise<number | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
    await response.body?.cancel();
    return response.status;
  } catch {
    return undefined;
  }
}

/** Environment variables that a program needs to run; configuration comes only from the test. */
function inherited(): Env {
  const names = ['PATH', 'HOME', 'TMPDIR', 'SystemRoot', 'NODE_V8_COVERAGE', 'NODE_COMPILE_CACHE'];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
