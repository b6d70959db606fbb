import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const STOP_TIMEOUT_MS = 5000;

/** A line of output, which is a JSON object. */
export interface LineEvent {
  readonly event: string;
  readonly [field: string]: unknown;
}

interface Waiting {
  readonly event: string;
  resolve(event: LineEvent): void;
  reject(reason: Error): void;
}

/** A child process that reads commands and prints events, one per line. */
export class LineProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #name: string;
  readonly #unread: LineEvent[] = [];
  #waiting: Waiting | undefined;
  #failure: Error | undefined;

  constructor(file: string, args: readonly string[]) {
    this.#name = file;
    this.#child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child.stdin?.on('error', () => {}); // `close` follows
    if (this.#child.stdout !== null) {
      createInterface({ input: this.#child.stdout }).on('line', (line) => this.#take(line));
    }
    this.#child.once('error', (error) => this.#fail(error));
    this.#child.once('close', (code, signal) => {
      this.#fail(new Error(`${this.#name} has ended: ${signal ?? `exit code ${code}`}`));
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  send(command: string): void {
    this.#child.stdin?.write(`${command}\n`);
  }

  /** Resolves with the next event of that name, skipping others; rejects after the deadline. */
  async next<T = unknown>(event: string, deadlineMs: number): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<LineEvent>();
    const late = () => reject(new Error(`${this.#name}: no '${event}' within ${deadlineMs} ms`));
    const timer = setTimeout(late, deadlineMs);
    this.#waiting = { event, resolve, reject };
    this.#offer();
    try {
      return inCamelCase<T>(await promise);
    } finally {
      clearTimeout(timer);
      this.#waiting = undefined;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    if (this.#child.pid === undefined) return;
    const ended = once(this.#child, 'exit');
    const patience = setTimeout(() => this.#child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    this.#child.stdin?.end('quit\n');
    this.#child.kill('SIGTERM');
    await ended.finally(() => clearTimeout(patience));
  }

  #take(line: string): void {
    try {
      this.#unread.push(JSON.parse(line));
    } catch {
      this.#fail(new Error(`${this.#name} printed: ${line.slice(0, 200)}`));
    }
    this.#offer();
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#offer();
  }

  #offer(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    for (let each = this.#unread.shift(); each !== undefined; each = this.#unread.shift()) {
      if (each.event === 'error') this.#failure ??= new Error(String(each['message']));
      if (each.event !== waiting.event) continue;
      this.#waiting = undefined; // later events are kept for the next call
      waiting.resolve(each);
      return;
    }
    if (this.#failure !== undefined) waiting.reject(this.#failure);
  }
}

/** The fields are not validated, because the programs are part of this package. */
function inCamelCase<T>({ event: _event, ...fields }: LineEvent): T {
  const entries = Object.entries(fields).map(([name, value]) => [
    name.replace(/_(.)/g, (_match, letter: string) => letter.toUpperCase()),
    value,
  ]);
  return Object.fromEntries(entries);
}
