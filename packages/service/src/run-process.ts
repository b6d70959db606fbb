import { PlainError } from '@leque/core';
import { ConfigError } from './config.ts';
import { StartError, tryDescribeListenError } from './start-errors.ts';
import { isOrphan, watchStopRequests } from './stop-requests.ts';

const STOP_TIMEOUT_MS = 10_000;

export interface RunningServer {
  /** Rejects when the server cannot go on; without it the server runs until it is stopped. */
  readonly failed?: Promise<never>;
  stop(): Promise<void>;
  /** Milliseconds that `stop` may take before the process ends all the same; 10,000 by default. */
  readonly stopTimeoutMs?: number;
}

/**
 * Runs a server until a signal stops it, and exits with 0. The exit code is 2 when the configuration
 * is wrong, 3 when Redis cannot be used and waiting cannot help, and 1 when the server cannot start
 * or go on otherwise, does not stop in time, or gets a second signal.
 */
export async function runProcess(
  start: () => Promise<RunningServer>,
  env: Readonly<Record<string, string | undefined>>,
): Promise<never> {
  exitOnStrayErrors();
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
    exit(exitCodeOf(error));
  }
}

function exitCodeOf(error: unknown): number {
  if (error instanceof ConfigError) return 2;
  return error instanceof StartError ? error.exitCode : 1;
}

/** Node itself would print all that a library has put on the error, such as a password. */
function exitOnStrayErrors(): void {
  process.on('uncaughtException', (error) => {
    process.stderr.write(`${describe(error)}\n`);
    exit(1);
  });
}

async function stopInTime({ stop, stopTimeoutMs = STOP_TIMEOUT_MS }: RunningServer): Promise<void> {
  const deadline = setTimeout(() => {
    process.stderr.write(`not stopped after ${stopTimeoutMs} ms; exiting\n`);
    exit(1);
  }, stopTimeoutMs);
  await stop();
  clearTimeout(deadline);
}

function untilStopped(startedByNpm: boolean): Promise<void> {
  return new Promise((resolve) => {
    const stopNow = () => {
      process.stderr.write('second signal; exiting now\n');
      exit(1);
    };
    watchStopRequests({ stop: resolve, stopNow }, startedByNpm);
    // A parent that keeps a channel open, as `leque cluster` does, is gone when that closes.
    process.once('disconnect', resolve);
    if (process.connected === false) resolve();
  });
}

/**
 * The log library flushes on exit, and retries a broken pipe for ever. So a process whose parent, the
 * reader of its log, is gone exits without flushing.
 */
function exit(code: number): never {
  if (process.connected === false || isOrphan()) process.removeAllListeners('exit');
  process.exit(code);
}

/** Only the message of an error that the operator can fix, and the stack of any other error. */
function describe(error: unknown): string {
  if (error instanceof ConfigError || error instanceof StartError) return error.message;
  const listening = tryDescribeListenError(error);
  if (listening !== undefined) return listening;
  const { type, message, stack, cause } = PlainError.of(error);
  const lines = [`${type}: ${message}`, stack, cause && `caused by ${describe(cause)}`];
  return lines.filter((line) => line).join('\n');
}
