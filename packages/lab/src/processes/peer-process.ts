import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

const START_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 2000;
const PROBE_INTERVAL_MS = 20;
const KEPT_OUTPUT = 64 * 1024;

/**
 * Becomes the program itself, beside a watcher that ends it when this process ends without saying
 * so. The watcher leaves a moment for an orderly end, which takes a program's own children along.
 */
const SUPERVISE = `
exec 3<&0
(read -r word <&3 || { kill $$; sleep 1; kill -9 $$; }) >/dev/null 2>&1 &
exec "$@" </dev/null 3<&-
`;

/** The program and its arguments. */
export type CommandLine = readonly [program: string, ...args: string[]];

/** Where a server listens, and its environment variables beside those of this process. */
export interface Place {
  readonly port: number;
  readonly settings: Readonly<Record<string, string>>;
}

/** A peer's server, listening on a port of 127.0.0.1. */
export class PeerProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  #output = '';

  private constructor(command: CommandLine) {
    this.#child = spawn('sh', ['-c', SUPERVISE, 'peer', ...command], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#child.stdin?.on('error', () => {}); // it may be gone before it is told
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-KEPT_OUTPUT);
      });
    }
    this.#child.once('exit', () => this.#child.stdin?.end('exited\n'));
  }

  /**
   * Starts it and waits until it listens.
   * @throws Error with its output when it ends instead, or does not listen in time
   */
  static async start(command: CommandLine, { port, settings }: Place): Promise<PeerProcess> {
    const variables = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
    const peer = new PeerProcess(['env', ...variables, ...command]);
    const deadline = Date.now() + START_TIMEOUT_MS;
    while (peer.#running && Date.now() < deadline) {
      if (await listens(port)) return peer;
      await delay(PROBE_INTERVAL_MS);
    }
    const state = peer.#running ? `does not listen on port ${port}` : 'ended';
    await peer[Symbol.asyncDispose]();
    throw new Error(`${command.join(' ')} ${state}; its output:\n${peer.#output}`);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** For one with children of its own, which a kill would leave behind. */
  async stop(): Promise<void> {
    if (!this.#running) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await Promise.race([exited, delay(STOP_TIMEOUT_MS, undefined, { ref: false })]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#running) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }

  get #running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }
}

function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  return new Promise((resolve) => {
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}
