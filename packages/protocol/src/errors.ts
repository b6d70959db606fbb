/**
 * Errors that a client may see. The codes are wire contract: add, never rename. `status` is the
 * HTTP status where the error answers a request.
 */
export const ERRORS = {
  invalid_json: { status: 400, retryable: false },
  invalid_command: { status: 400, retryable: false },
  unknown_action: { status: 400, retryable: false },
  invalid_event: { status: 400, retryable: false },
  token_missing: { status: 401, retryable: false },
  token_malformed: { status: 401, retryable: false },
  token_expired: { status: 401, retryable: false },
  token_signature_invalid: { status: 401, retryable: false },
  token_algorithm_not_allowed: { status: 401, retryable: false },
  token_claim_invalid: { status: 401, retryable: false },
  forbidden: { status: 403, retryable: false },
  too_many_subscriptions: { status: 403, retryable: false },
  origin_forbidden: { status: 403, retryable: false },
  not_found: { status: 404, retryable: false },
  rate_limited: { status: 429, retryable: true },
  internal: { status: 500, retryable: true },
  unavailable: { status: 503, retryable: true },
  outcome_unknown: { status: 503, retryable: true },
  draining: { status: 503, retryable: true },
} as const;

export type ErrorCode = keyof typeof ERRORS;

/** The body of an HTTP error, `application/problem+json`. */
export interface ProblemDocument {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** Stable, for programs. */
  readonly code: string;
}

/** An error that is told to the client; its connection stays. Anything else thrown is a bug. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  get status(): number {
    return ERRORS[this.code].status;
  }

  /** As an HTTP problem document (RFC 9457). */
  toProblem(): ProblemDocument {
    return {
      type: 'about:blank',
      title: this.code.replaceAll('_', ' '),
      status: this.status,
      detail: this.message,
      code: this.code,
    };
  }
}
