import { reportUnavailable, type Telemetry } from '@leque/core';
import type { ProblemDocument } from '@leque/protocol';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { isFailure, problemOf } from './problem.ts';

const RETRY_AFTER_S = 1;

/**
 * Answers every error that is thrown beneath `app` with a problem document.
 * @param where the reporter of failures, for logs
 */
export function registerProblems(app: FastifyInstance, telemetry: Telemetry, where: string): void {
  app.setErrorHandler((error, { id: requestId }, reply) => {
    if (isFailure(error)) telemetry.report({ type: 'failure', where, error, requestId });
    else reportUnavailable(telemetry, { where, error, requestId });
    return sendProblem(reply, problemOf(error));
  });
}

/** @param extra members that stand beside those of the problem (RFC 9457 §3.2) */
export function sendProblem(
  reply: FastifyReply,
  problem: ProblemDocument,
  extra: object = {},
): FastifyReply {
  const { status } = problem;
  if (status === 503) reply.header('retry-after', RETRY_AFTER_S);
  if (status === 401 || status === 403) reply.header('www-authenticate', challengeOf(problem));
  return reply
    .code(status)
    .type('application/problem+json')
    .serializer(JSON.stringify)
    .send({ ...problem, ...extra });
}

/** RFC 6750 §3: a request without credentials gets only the scheme as its challenge. */
function challengeOf({ status, code, detail }: ProblemDocument): string {
  if (code === 'token_missing') return 'Bearer';
  const error = status === 403 ? 'insufficient_scope' : 'invalid_token';
  const description = detail.replace(/[^\x20-\x7e]/g, '?').replace(/["\\]/g, "'");
  return `Bearer error="${error}", error_description="${description}"`;
}
