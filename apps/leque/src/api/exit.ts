/** Exit codes of every command; docs/command-line.md lists them for scripts. */
export const EXIT = { done: 0, refused: 1, usage: 2, unreachable: 3 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Ends a command with a sentence on stderr and an exit code, without a stack trace. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: ExitCode;
  /** True when the same request may succeed later. */
  readonly retryable: boolean;

  constructor(message: string, { exitCode, retryable = false, cause }: CommandErrorOptions) {
    super(message, { cause });
    this.exitCode = exitCode;
    this.retryable = retryable;
  }
}

interface CommandErrorOptions {
  readonly exitCode: ExitCode;
  readonly retryable?: boolean;
  readonly cause?: unknown;
}

/** Reports every problem with the options at once, one a line. */
export function usageError(problems: readonly string[]): CommandError {
  return new CommandError(problems.map((problem) => `error: ${problem}`).join('\n'), {
    exitCode: EXIT.usage,
  });
}
