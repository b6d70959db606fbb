import { CommandError, EXIT, type ExitCode } from './exit.ts';
import { printError } from './print.ts';

/**
 * Runs the action of a command and sets the exit code of the process. An error becomes a sentence on
 * stderr.
 * @param onReaderGone called when the reader of stdout has left, as in `leque … | head`; ends the
 *   process by default
 */
export async function runCommand(
  action: () => ExitCode | Promise<number>,
  onReaderGone: () => void = () => process.exit(EXIT.done),
): Promise<void> {
  process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
    if (code !== 'EPIPE') process.exit(EXIT.refused);
    onReaderGone();
  });
  try {
    process.exitCode = await action();
  } catch (error) {
    printError(error instanceof Error ? error.message : String(error));
    process.exitCode = await exitCodeOf(error);
  }
}

async function exitCodeOf(error: unknown): Promise<ExitCode> {
  if (error instanceof CommandError) return error.exitCode;
  // Loaded only here, because it takes longer to load than most commands take to run.
  const { ConfigError } = await import('@leque/service');
  return error instanceof ConfigError ? EXIT.usage : EXIT.refused;
}
