import { ConfigError } from './config.ts';

/** A supervisor passes on what the terminal has sent to the whole group already. */
const SAME_STOP_MS = 500;
const STOP_TIMEOUT_MS = 10_000;
const PARENT_LOOK_MS = 1000;
const PARENT = process.ppid;
const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

export interface RunningServer {
  /** Rejects when it cannot go on; a server without it goes on until it is stopped. */
  readonly failed?: Promise<never>;
  stop(): Promise<void>;
  /** How long stopping may take before the process ends all the same; 10 s without it. */
  readonly stopTimeoutMs?: number;
}

/** What keeps a process from starting, for who starts it: the message says all there is to know. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

/**
 * The life of a server process: starts it, waits until it is told to stop, stops it, and exits
 * with 0; with 2 when its configuration is wrong; with 1 when it cannot start or go on, or is told to
 * stop a second time.
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
    exit(0);
  } catch (error) {
    process.stderr.write(`${describe(error)}\n`);
    exit(error instanceof ConfigError ? 2 : 1);
  }
}

async function stopInTime({ stop, stopTimeoutMs = STOP_TIMEOUT_MS }: RunningServer): Promise<void> {
  const deadline = setTimeout(() => {
    process.stderr.write(`not stopped after ${stopTimeoutMs} ms; ending\n`);
    exit(1);
  }, stopTimeoutMs);
  await stop();
  clearTimeout(deadline);
}

function untilStopped(startedByNpm: boolean): Promise<void> {
  return new Promise((resolve) => {
    let stoppedAt: number | undefined;
    const stop = () => {
      stoppedAt ??= Date.now();
      if (Date.now() - stoppedAt > SAME_STOP_MS) {
        process.stderr.write('told to stop a second time; ending now\n');
        exit(1);
      }
      resolve();
    };
    for (const signal of SIGNALS) process.on(signal, stop);
    if (startedByNpm) watchParent(resolve);
    // A parent that keeps a channel open, as `leque cluster` does, is gone when that closes.
    process.once('disconnect', resolve);
    if (process.connected === false) resolve();
  });
}

/**
 * A log whose reader is gone is flushed for ever while the process exits: the library that writes
 * it tries a broken pipe again and again. So an orphan exits without that.
 */
function exit(code: number): never {
  if (process.connected === false || process.ppid !== PARENT) process.removeAllListeners('exit');
  process.exit(code);
}

/** npm may be killed, or a shell between may die of a signal without passing it on. */
function watchParent(onGone: () => void): void {
  const timer = setInterval(() => {
    if (process.ppid === PARENT) return;
    clearInterval(timer);
    onGone();
  }, PARENT_LOOK_MS);
  timer.unref();
}

/** What keeps it from starting is for who starts it; anything else for who debugs it. */
function describe(error: unknown): string {
  if (error instanceof ConfigError || error instanceof StartError) return error.message;
  if (isBusyPort(error)) return `Port ${error.port} is busy; set PORT`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function isBusyPort(error: unknown): error is NodeJS.ErrnoException & { readonly port: number } {
  return (
    error instanceof Error && 'port' in error && 'code' in error && error.code === 'EADDRINUSE'
  );
}
