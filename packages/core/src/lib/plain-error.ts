import { inert } from './inert.ts';
import { withoutSecrets } from './secrets.ts';

const MAX_NAME = 60;
const MAX_MESSAGE = 300;
const MAX_STACK_LINE = 200;
const MAX_STACK_LINES = 20;
const MAX_CAUSES = 4;
const STACK_LINE = /^ {4}at /;

/**
 * The part of an error that may leave the process. Libraries hang more on their errors: ioredis the
 * arguments of the command, passwords and payloads among them, and Node the URL that it cannot read.
 */
export class PlainError {
  readonly type: string;
  readonly message: string;
  readonly code?: string;
  readonly stack?: string;
  readonly cause?: PlainError;

  private constructor(error: unknown, causes: number) {
    this.type = typeOf(error);
    this.message = messageOf(error);
    if (!(error instanceof Error)) return;
    const { code, cause } = error as Error & { code?: unknown };
    if (isCode(code)) this.code = inert(String(code), MAX_NAME);
    this.stack = stackOf(error);
    if (cause !== undefined && causes > 0) this.cause = new PlainError(cause, causes - 1);
  }

  /** Takes any thrown value. Type, message, code, stack and up to four causes are kept. */
  static of(error: unknown): PlainError {
    return error instanceof PlainError ? error : new PlainError(error, MAX_CAUSES);
  }
}

/** Makes text that contains words of a library, or of a client, fit for a log. */
export function loggable(text: string, maxLength = MAX_MESSAGE): string {
  return inert(withoutSecrets(text), maxLength);
}

function typeOf(error: unknown): string {
  return error instanceof Error ? inert(String(error.name), MAX_NAME) : typeof error;
}

/** An object that is no error may hold anything, so none of it is shown. */
function messageOf(error: unknown): string {
  if (error instanceof Error) return loggable(String(error.message));
  return typeof error === 'object' || typeof error === 'function'
    ? 'something other than an error was thrown'
    : loggable(String(error));
}

function isCode(code: unknown): code is string | number {
  return typeof code === 'string' || typeof code === 'number';
}

/** The stack without its first lines, which repeat the message. */
function stackOf({ name, message, stack = '' }: Error): string {
  const text = String(stack);
  const head = `${name}: ${message}`;
  const frames = (text.startsWith(head) ? text.slice(head.length) : text)
    .split('\n')
    .filter((line) => STACK_LINE.test(line))
    .slice(0, MAX_STACK_LINES);
  return frames.map((line) => loggable(line, MAX_STACK_LINE)).join('\n');
}
