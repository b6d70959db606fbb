import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const START_TIMEOUT_MS = 10_000;
const STOP_TIMEOUT_MS = 5000;
const IS_READY = /Ready to accept connections|Sentinel ID is/;

/**
 * Runs a server, and kills it and removes its folder when its standard input is closed without
 * a message. That happens however this process ends, even without time to clean up.
 */
const SUPERVISE = `
trap '' XFSZ # beyond a limit of its files, writing is to fail
exec 3<&0
program=$1
shift
"$program" "$@" 3<&- &
server=$!
echo "pid $server"
(read -r word <&3 || { kill -9 "$server"; rm -rf "$PWD"; }) >/dev/null 2>&1 &
wait "$server"
`;

export interface Launch {
  /** The working directory, which is removed when this process is gone. */
  readonly dir: string;
  /** The server's program, by name or path. */
  readonly program: string;
  readonly args: readonly string[];
  /** A command that runs the command that follows it. */
  readonly within?: readonly string[];
}

/** A running server, beside the shell that ends it when this process is gone. */
export class RedisProcess {
  readonly #supervisor: ChildProcess;
  readonly pid: number;

  private constructor(supervisor: ChildProcess, pid: number) {
    this.#supervisor = supervisor;
    this.pid = pid;
  }

  /** @throws Error with its output when it does not become ready */
  static async launch({ dir, program, args, within = [] }: Launch): Promise<RedisProcess> {
    const supervise = ['sh', '-c', SUPERVISE, 'redis', program, ...args];
    const [command = 'sh', ...words] = [...within, ...supervise];
    const supervisor = spawn(command, words, {
      cwd: dir,
      stdio: ['pipe', 'pipe', 'ignore'],
      detached: true, // what a terminal sends to its process group is not for Redis
    });
    supervisor.unref(); // a test that forgets it must not hang for it
    const lines = createInterface({ input: supervisor.stdout });
    const output: string[] = [];
    let pid: number | undefined;
    let isReady = false; // the shell may print the pid after Redis has printed that it is ready
    const timeout = setTimeout(() => supervisor.kill('SIGKILL'), START_TIMEOUT_MS);
    try {
      for await (const line of lines) {
        output.push(line);
        pid ??= Number(/^pid (\d+)$/.exec(line)?.[1]) || undefined;
        isReady ||= IS_READY.test(line);
        if (pid !== undefined && isReady) {
          supervisor.stdout.resume();
          return new RedisProcess(supervisor, pid);
        }
      }
    } finally {
      clearTimeout(timeout);
      lines.close();
    }
    throw new Error(`${program} did not start:\n${output.join('\n')}`);
  }

  get running(): boolean {
    return this.#supervisor.exitCode === null && this.#supervisor.signalCode === null;
  }

  signal(signal: NodeJS.Signals): void {
    try {
      if (this.running) process.kill(this.pid, signal);
    } catch {
      // It has just ended, and its supervisor has not reported it yet.
    }
  }

  /** Sends SIGTERM, and SIGKILL if it does not end. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (!this.running) return;
    const ended = once(this.#supervisor, 'exit');
    this.#supervisor.stdin?.end('ending\n'); // the folder stays: Redis may be started again in it
    const patience = setTimeout(() => this.signal('SIGKILL'), STOP_TIMEOUT_MS);
    this.signal(signal);
    this.signal('SIGCONT'); // a frozen one would not hear of it
    await ended.finally(() => clearTimeout(patience));
  }
}
