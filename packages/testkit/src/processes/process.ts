import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export type Env = Readonly<Record<string, string>>;

export interface ServerOptions {
  /** Name of the program in error messages. */
  readonly name: string;
  /** Program file, relative to the root of the repository. */
  readonly entry: string;
  readonly args?: readonly string[];
  readonly port: number;
  readonly env: Env;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 10_000;
const LAST_WORDS_MS = 500;
const PROBE_INTERVAL_MS = 20;
const PROBE_TIMEOUT_MS = 1000;
const KEPT_OUTPUT = 64 * 1024;

/**
 * Runs the program beside a watcher, which kills it when this process ends without stopping it. So
 * no server outlives a test run that crashes.
 */
const SUPERVISE = `
exec 3<&0
(read -r word <&3 || kill -9 $$) >/dev/null 2>&1 &
exec "$@" </dev/null 3<&-
`;

/** A program of this repository in a process of its own, with its recorded output. */
export class RunningProcess implements AsyncDisposable {
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcess;
  #output = '';

  constructor(entry: string, args: readonly string[], env: Env) {
    const program = [process.execPath, entry, ...args];
    this.#child = spawn('sh', ['-c', SUPERVISE, 'leque', ...program], {
      cwd: ROOT,
      env: { ...inherited(), ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#child.stdin?.on('error', () => {}); // it may be gone before it is told
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-KEPT_OUTPUT);
      });
    }
    this.#child.once('exit', () => this.#child.stdin?.end('exited\n'));
    this.exited = this.#end();
  }

  /** Stays valid after the process has ended. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The last output on stdout and stderr. */
  get output(): string {
    return this.#output;
  }

  signal(signal: NodeJS.Signals): void {
    if (this.running) this.#child.kill(signal);
  }

  /** Sends SIGTERM, and SIGKILL if the process does not end. */
  async stop(signal: NodeJS.Signals = 'SIGTERM', patienceMs = STOP_TIMEOUT_MS): Promise<Exit> {
    const patience = setTimeout(() => this.signal('SIGKILL'), patienceMs);
    this.signal(signal);
    this.signal('SIGCONT'); // a frozen one would not hear of it
    return this.exited.finally(() => clearTimeout(patience));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('SIGKILL');
  }

  /** Also waits for the rest of the output, unless a child process keeps the pipe open. */
  async #end(): Promise<Exit> {
    const closed = once(this.#child, 'close');
    const [code, signal] = await once(this.#child, 'exit');
    await Promise.race([closed, delay(LAST_WORDS_MS, undefined, { ref: false })]);
    return { code, signal };
  }
}

/** A server on a port of 127.0.0.1 that can be stopped and started again at the same address. */
export class ServerProcess implements AsyncDisposable {
  readonly url: string;
  readonly #options: ServerOptions;
  #process: RunningProcess;

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

  #launch(): RunningProcess {
    const { entry, args = [], env, port } = this.#options;
    return new RunningProcess(entry, args, { HOST: '127.0.0.1', ...env, PORT: String(port) });
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
