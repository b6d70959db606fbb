import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface SupervisedOptions {
  /** The working directory; that of this process without it. */
  readonly cwd?: string;
  /** The whole environment; that of this process without it. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /**
   * How long the program may take to end by SIGTERM when this process has ended, so that it can
   * stop its own children; 0 kills it at once.
   */
  readonly graceSeconds?: number;
  /** Called with each line that the program writes to stdout. */
  readonly onLine?: (line: string) => void;
}

const STOP_TIMEOUT_MS = 10_000;
const LAST_OUTPUT_MS = 500;
const KEPT_OUTPUT = 64 * 1024;

/**
 * Becomes the program, next to a watcher that ends it when this process ends without a word:
 * however a test run dies, it leaves no server behind.
 */
const SUPERVISE = `
grace=$1
shift
exec 3<&0
(read -r word <&3 || { [ "$grace" = 0 ] || { kill $$; sleep "$grace"; }; kill -9 $$; }) >/dev/null 2>&1 &
exec "$@" </dev/null 3<&-
`;

/** A program in a process that ends with this one, and the end of its output. */
export class SupervisedProcess implements AsyncDisposable {
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcess;
  #output = '';

  constructor(command: readonly string[], options: SupervisedOptions = {}) {
    const { graceSeconds = 0, cwd, env, onLine } = options;
    this.#child = spawn('sh', ['-c', SUPERVISE, 'supervise', String(graceSeconds), ...command], {
      cwd,
      env: env ?? process.env,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#child.stdin?.on('error', () => {}); // the watcher may have ended before it is told
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-KEPT_OUTPUT);
      });
    }
    if (onLine !== undefined) {
      createInterface({ input: this.#child.stdout as Readable }).on('line', onLine);
    }
    this.#child.once('exit', () => this.#child.stdin?.end('exited\n'));
    this.exited = this.#end();
  }

  /** Stays the same once the process has ended. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The end of what it wrote to stdout and stderr. */
  get output(): string {
    return this.#output;
  }

  signal(signal: NodeJS.Signals): void {
    if (this.running) this.#child.kill(signal);
  }

  /** Sends the signal, and SIGKILL when the process has not ended after `patienceMs`. */
  async stop(signal: NodeJS.Signals = 'SIGTERM', patienceMs = STOP_TIMEOUT_MS): Promise<Exit> {
    const patience = setTimeout(() => this.signal('SIGKILL'), patienceMs);
    this.signal(signal);
    this.signal('SIGCONT'); // a frozen process receives no other signal
    return this.exited.finally(() => clearTimeout(patience));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('SIGKILL');
  }

  /** Waits for the rest of the output too, unless a child of the process keeps that open. */
  async #end(): Promise<Exit> {
    const closed = once(this.#child, 'close');
    const [code, signal] = await once(this.#child, 'exit');
    await Promise.race([closed, delay(LAST_OUTPUT_MS, undefined, { ref: false })]);
    return { code, signal };
  }
}
