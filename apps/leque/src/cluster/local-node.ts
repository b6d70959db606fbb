import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { StartError } from '@leque/service';

const START_TIMEOUT_MS = 30_000;
const PROBE_INTERVAL_MS = 50;
const PROBE_TIMEOUT_MS = 1000;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 16_000;
const NAME_WIDTH = 10;

export interface LocalNodeOptions {
  readonly name: string;
  readonly script: string;
  /** The http URL at which it listens. */
  readonly url: string;
  readonly env: NodeJS.ProcessEnv;
  /** Milliseconds after which a node that has not stopped is killed. */
  readonly stopDeadlineMs: number;
}

/** A process of the local cluster. It is restarted when it ends without being stopped. */
export class LocalNode {
  readonly #options: LocalNodeOptions;
  readonly #stopping = new AbortController();
  #child: ChildProcess | undefined;
  #ready = false;
  #ended: Promise<string> = Promise.resolve('not started');

  constructor(options: LocalNodeOptions) {
    this.#options = options;
  }

  /** Process id; undefined before the start. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Whether it was ready when it started, and has neither ended nor been told to stop since. */
  get ready(): boolean {
    return this.#ready;
  }

  get port(): number {
    return Number(new URL(this.#options.url).port);
  }

  /** @throws StartError when the node is not ready in time, or ends instead */
  async start(): Promise<void> {
    this.#launch();
    const tooLate = AbortSignal.timeout(START_TIMEOUT_MS);
    if (!(await this.#becomesReady(tooLate))) {
      const how = tooLate.aborted ? `is not ready after ${START_TIMEOUT_MS / 1000} s` : 'ended';
      throw new StartError(`${this.#options.name} ${how}`);
    }
    this.#ready = true;
    void this.#keepAlive();
  }

  async stop(): Promise<void> {
    this.#ready = false;
    this.#stopping.abort();
    this.#child?.kill('SIGTERM');
    const deadline = setTimeout(() => this.#child?.kill('SIGKILL'), this.#options.stopDeadlineMs);
    await this.#ended;
    clearTimeout(deadline);
  }

  #launch(): void {
    const { script, env } = this.#options;
    const child = spawn(process.execPath, [script], {
      env,
      // The node stops when this channel closes, so that it never outlives this process.
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: true, // Ctrl-C must reach the cluster only, which stops its nodes in order
    });
    for (const stream of [child.stdout, child.stderr]) {
      if (stream !== null) createInterface(stream).on('line', (line) => this.#say(line));
    }
    this.#child = child;
    this.#ended = once(child, 'exit').then(([code, signal]) => signal ?? `exit code ${code}`);
  }

  async #keepAlive(): Promise<void> {
    const { signal } = this.#stopping;
    let pauseMs = FIRST_PAUSE_MS;
    for (;;) {
      const how = await this.#ended;
      this.#ready = false;
      if (signal.aborted) return;
      this.#say(`ended: ${how}; restarting in ${pauseMs / 1000} s`);
      await delay(pauseMs, undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
      this.#launch();
      const ready = await this.#becomesReady(signal);
      this.#ready = ready && !signal.aborted;
      if (ready) this.#say(`is ready again, pid ${this.pid}`);
      pauseMs = ready ? FIRST_PAUSE_MS : Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
    }
  }

  /** False when the node ends first, or the signal is aborted. */
  async #becomesReady(givenUp: AbortSignal): Promise<boolean> {
    const ended = this.#ended.then(() => 'ended' as const);
    while (!givenUp.aborted) {
      const state = await Promise.race([ended, isReady(this.#options.url)]);
      if (state === 'ended') return false;
      if (state) return true;
      await Promise.race([ended, delay(PROBE_INTERVAL_MS)]);
    }
    return false;
  }

  #say(line: string): void {
    console.log(`${this.#options.name.padEnd(NAME_WIDTH)} | ${line}`);
  }
}

async function isReady(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/readyz`, {
      signal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
    });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}
