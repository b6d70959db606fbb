import { inert, loggable, PlainError } from '@leque/core';
import type { FastifyServerOptions } from 'fastify';

type LoggerOptions = Exclude<NonNullable<FastifyServerOptions['logger']>, boolean>;

const MAX_METHOD = 20;

/**
 * Options of every logger, also for the lines that Fastify writes by itself: errors are reduced to
 * what may leave the process, requests to their method, because a URL may contain a token, and texts
 * lose their secrets and control characters.
 */
export const LOG_OPTIONS = {
  serializers: {
    err: plain,
    error: plain,
    req: ({ method }) => ({ method: inert(String(method), MAX_METHOD) }),
    res: ({ statusCode }) => ({ statusCode }),
  },
  hooks: {
    logMethod(args, write) {
      const [first, ...rest] = (args as unknown[]).map(withoutForeignText);
      // Without a text, the logger would take the message of the original error.
      const text = rest.length === 0 ? errorIn(first)?.message : undefined;
      const fields = first instanceof PlainError ? { err: first } : first;
      const texts = text === undefined ? rest : [text];
      write.apply(this, [fields, ...texts] as never);
    },
  },
} as const satisfies LoggerOptions;

/** The error that is logged alone, or as the field `err`. */
function errorIn(fields: unknown): PlainError | undefined {
  if (fields instanceof PlainError) return fields;
  const { err } = (typeof fields === 'object' && fields !== null ? fields : {}) as {
    err?: unknown;
  };
  return err === undefined ? undefined : PlainError.of(err);
}

/** The type of Fastify's serializer demands a stack. */
function plain(error: unknown) {
  return { stack: '', ...PlainError.of(error) };
}

function withoutForeignText(value: unknown): unknown {
  if (value instanceof Error) return PlainError.of(value);
  return typeof value === 'string' ? loggable(value) : value;
}
