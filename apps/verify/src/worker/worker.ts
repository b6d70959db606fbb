import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { Commands, Reply, Request } from './commands.ts';

const STOP_TIMEOUT_MS = 5000;

type Arguments<C extends Commands, K extends keyof C> = Parameters<C[K]>[0];
type Answer<C extends Commands, K extends keyof C> = Awaited<ReturnType<C[K]>>;

/** A program of this package in its own process, which answers commands. */
export class Worker<C extends Commands> implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #name: string;
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  #lastId = 0;
  #end: string | undefined;

  constructor(program: URL, name: string) {
    this.#name = name;
    this.#child = fork(program, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.#child.on('message', (reply: Reply) => this.#waiting.get(reply.id)?.(reply));
    this.#child.once('error', (error) => this.#fail(error.message));
    this.#child.once('exit', (code, signal) => this.#fail(`has ended: ${signal ?? code}`));
  }

  /** Rejects when the worker refuses, ends, or does not answer in time. */
  async ask<K extends keyof C & string>(
    command: K,
    args: Arguments<C, K>,
    deadlineMs: number,
  ): Promise<Answer<C, K>> {
    this.#lastId += 1;
    const id = this.#lastId;
    const { promise, resolve } = Promise.withResolvers<Reply>();
    const timer = setTimeout(
      () => resolve({ id, error: `no answer within ${deadlineMs} ms` }),
      deadlineMs,
    );
    this.#waiting.set(id, resolve);
    if (this.#end === undefined) this.#child.send({ id, command, args } satisfies Request);
    else resolve({ id, error: this.#end });
    const reply = await promise;
    clearTimeout(timer);
    this.#waiting.delete(id);
    if (reply.error !== undefined) throw new Error(`${this.#name}: ${command}: ${reply.error}`);
    return reply.result as Answer<C, K>; // the programs are part of this package
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#end !== undefined) return;
    const ended = once(this.#child, 'exit');
    const patience = setTimeout(() => this.#child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    if (this.#child.connected) this.#child.disconnect();
    await ended.finally(() => clearTimeout(patience));
  }

  #fail(reason: string): void {
    this.#end ??= reason;
    for (const [id, resolve] of this.#waiting) resolve({ id, error: reason });
  }
}
