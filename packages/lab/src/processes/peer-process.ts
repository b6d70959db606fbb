import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { SupervisedProcess } from '@leque/testkit';

const START_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 2000;
const PROBE_INTERVAL_MS = 20;
/** Time for a peer to stop its own children when this process has ended. */
const GRACE_SECONDS = 1;

/** The program and its arguments. */
export type CommandLine = readonly [program: string, ...args: string[]];

/** Where a server listens, and environment variables to add to those of this process. */
export interface Place {
  readonly port: number;
  readonly settings: Readonly<Record<string, string>>;
}

/** A server of another project, listening on a port of 127.0.0.1. */
export class PeerProcess implements AsyncDisposable {
  readonly #process: SupervisedProcess;

  private constructor(command: CommandLine, settings: Place['settings']) {
    const env = { ...process.env, ...settings };
    this.#process = new SupervisedProcess(command, { env, graceSeconds: GRACE_SECONDS });
  }

  /**
   * Starts it and waits until it listens.
   * @throws Error with its output when it ends instead, or does not listen in time
   */
  static async start(command: CommandLine, { port, settings }: Place): Promise<PeerProcess> {
    const peer = new PeerProcess(command, settings);
    const deadline = Date.now() + START_TIMEOUT_MS;
    while (peer.#process.running && Date.now() < deadline) {
      if (await listens(port)) return peer;
      await delay(PROBE_INTERVAL_MS);
    }
    const state = peer.#process.running ? `does not listen on port ${port}` : 'ended';
    await peer[Symbol.asyncDispose]();
    throw new Error(`${command.join(' ')} ${state}; its output:\n${peer.#process.output}`);
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Ends it by SIGTERM, for servers with children, which SIGKILL would leave behind. */
  async stop(): Promise<void> {
    await this.#process.stop('SIGTERM', STOP_TIMEOUT_MS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
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
