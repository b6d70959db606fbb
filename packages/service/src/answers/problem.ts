import { loggable } from '@leque/core';
import {
  describeProblems,
  ERRORS,
  type Problem,
  type ProblemDocument,
  ProtocolError,
} from '@leque/protocol';

/** Refusals that only HTTP knows, with their status; the others are in the protocol's table. */
const HTTP_ERRORS = {
  invalid_request: 400,
  invalid_event: ERRORS.invalid_event.status,
  invalid_json: ERRORS.invalid_json.status,
  api_key_invalid: 401,
  not_found: 404,
  request_timeout: 408,
  payload_too_large: 413,
  unsupported_media_type: 415,
  header_too_large: 431,
} as const;
type HttpErrorCode = keyof typeof HTTP_ERRORS;

const FRAMEWORK_ERRORS: Readonly<Record<string, HttpErrorCode>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_BODY_TOO_LARGE: 'payload_too_large',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'invalid_json',
  FST_ERR_CTP_INVALID_JSON_BODY: 'invalid_json',
};

/** Sentences in place of those of Fastify, of which the second repeats a URL with its token. */
const FIXED_DETAILS: Readonly<Record<string, string>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'send JSON, with Content-Type: application/json',
  FST_ERR_BAD_URL: 'the path cannot be decoded: %XX must be UTF-8',
};

/** A request that is refused because of its form or content. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  readonly code: HttpErrorCode;
  readonly problems: readonly Problem[];

  constructor(code: HttpErrorCode, detail: string, problems: readonly Problem[] = []) {
    super(detail);
    this.code = code;
    this.problems = problems;
  }

  static ofProblems(code: HttpErrorCode, problems: readonly Problem[]): RequestError {
    return new RequestError(code, describeProblems(problems), problems);
  }
}

/** Turns any error into the document for the client; details of bugs are not disclosed. */
export function problemOf(error: unknown): ProblemDocument {
  if (error instanceof ProtocolError) return error.toProblem();
  if (error instanceof RequestError) return documentOf(error, HTTP_ERRORS[error.code]);
  return frameworkProblem(error) ?? new ProtocolError('internal', 'internal error').toProblem();
}

/** Whether the error is a bug or a broken machine rather than a mistake of the client. */
export function isFailure(error: unknown): boolean {
  if (error instanceof ProtocolError) return error.code === 'internal';
  return !(error instanceof RequestError) && refusalStatus(error) === undefined;
}

function documentOf(error: RequestError, status: number): ProblemDocument {
  const { code, message, problems } = error;
  return {
    type: 'about:blank',
    title: code.replaceAll('_', ' '),
    status,
    detail: message,
    code,
    ...(problems.length > 0 && { errors: [...problems] }),
  };
}

/** Fastify itself refuses some bodies, media types and URLs. */
function frameworkProblem(error: unknown): ProblemDocument | undefined {
  const status = refusalStatus(error);
  if (status === undefined) return undefined;
  const { code, message } = error as Error & { code?: unknown };
  const known =
    FRAMEWORK_ERRORS[String(code)] ?? (error instanceof SyntaxError ? 'invalid_json' : undefined);
  const detail = FIXED_DETAILS[String(code)] ?? loggable(message);
  return documentOf(new RequestError(known ?? 'invalid_request', detail), status);
}

function refusalStatus(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined;
  const { statusCode } = error as Error & { statusCode?: unknown };
  const refused = typeof statusCode === 'number' && statusCode >= 400 && statusCode <= 499;
  return refused ? statusCode : undefined;
}
