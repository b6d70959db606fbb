import type { ProblemDocument } from './problem-document.ts';

/**
 * Errors that a client may see. The codes are wire contract: add, never rename. `status` is the
 * status of the HTTP response when the error answers a request.
 */
export const ERRORS = {
  invalid_json: { status: 400 },
  invalid_command: { status: 400 },
  unknown_action: { status: 400 },
  invalid_event: { status: 400 },
  token_missing: { status: 401 },
  token_malformed: { status: 401 },
  token_expired: { status: 401 },
  token_signature_invalid: { status: 401 },
  token_algorithm_not_allowed: { status: 401 },
  token_claim_invalid: { status: 401 },
  grant_invalid: { status: 403 },
  grant_expired: { status: 403 },
  forbidden: { status: 403 },
  too_many_subscriptions: { status: 403 },
  origin_forbidden: { status: 403 },
  not_found: { status: 404 },
  join_timeout: { status: 408 },
  upgrade_required: { status: 426 },
  rate_limited: { status: 429 },
  too_many_connections: { status: 429 },
  internal: { status: 500 },
  unavailable: { status: 503 },
  outcome_unknown: { status: 503 },
  draining: { status: 503 },
  overloaded: { status: 503 },
} as const;

export type ErrorCode = keyof typeof ERRORS;

/** An error that is reported to the client, whose connection stays open. Other errors are bugs. */
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

  /** The error as an HTTP problem document (RFC 9457). */
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
