import { ConfigError } from './config.ts';

/** A supervisor passes on what the terminal has sent to the whole group already. */
const SAME_STOP_MS = 500;
const STOP_TIMEOUT_MS = 10_000;
const PARENT_LOOK_MS = 1000;
const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

export interface RunningServer {
  /** Rejects when it cannot go on; a server without it goes on until it is stopped. */
  readonly failed?: Promise<never>;
  stop(): Promise<void>;
  /** How long stopping may take before the process ends all the same; 10 s without it. */
  readonly stopTimeoutMs?: number;
}

/**
 * The life of a server process: starts it, waits until it is told to stop, stops it, and exits
 * with 0; with 1 when it cannot start or go on, or is told a second time.
 */
export async function runProcess(
  start: () => Promise<RunningServer>,
  env: Readonly<Record<string, string | undefined>>,
): Promise<never> {
  try {
    const stopped = untilStopped(env['npm_lifecycle_event'] !== undefined);
    const server = await start();
    try {
      await Promise.race([stopped, ...(server.failed === undefined ? [] : [server.failed])]);
    } finally {
      await stopInTime(server);
    }
    process.exit(0);
  } catch (error) {
    process.stderr.write(`${describe(error)}\n`);
    process.exit(1);
  }
}

async function stopInTime({ stop, stopTimeoutMs = STOP_TIMEOUT_MS }: RunningServer): Promise<void> {
  const deadline = setTimeout(() => {
    process.stderr.write(`not stopped after ${stopTimeoutMs} ms; ending\n`);
    process.exit(1);
  }, stopTimeoutMs);
  await stop();
  clearTimeout(deadline);
}

function untilStopped(startedByNpm: boolean): Promise<void> {
  return new Promise((resolve) => {
    let stoppedAt: number | undefined;
    const stop = () => {
      stoppedAt ??= Date.now();
      if (Date.now() - stoppedAt > SAME_STOP_MS) process.exit(1);
      resolve();
    };
    for (const signal of SIGNALS) process.on(signal, stop);
    if (startedByNpm) watchParent(stop);
  });
}

/** npm passes signals to its shell, and the shell dies of them without passing them on. */
function watchParent(onGone: () => void): void {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    onGone();
  }, PARENT_LOOK_MS);
  timer.unref();
}

/** What is wrong with a configuration is for its author; anything else for who debugs it. */
function describe(error: unknown): string {
  if (error instanceof ConfigError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
