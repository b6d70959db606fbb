import { randomUUID } from 'node:crypto';
import type { ServerOptions } from 'node:http';
import { type ProblemDocument, ProtocolError } from '@leque/protocol';
import type { FastifyServerOptions } from 'fastify';
import { answerBrokenRequest } from '../answers/broken-requests.ts';
import { problemOf } from '../answers/problem.ts';
import { sendProblem } from '../answers/problem-answers.ts';
import { HTTP_OPTIONS } from './http-options.ts';
import { REQUEST_LIMITS } from './request-limits.ts';
import { SECURITY_HEADERS } from './security-headers.ts';

const REQUEST_ID = /^[\w.:/+=@-]{1,128}$/;
/** A channel has up to 776 characters, and each of them may be written as %XX. */
const MAX_PARAM_LENGTH = 2_328;

/** Options that Fastify takes only for a server as a whole; every process uses them. */
export const SERVER_OPTIONS = {
  requestTimeout: REQUEST_LIMITS.requestTimeout,
  http: HTTP_OPTIONS,
  clientErrorHandler: answerBrokenRequest,
  routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
  requestIdHeader: false, // genReqId reads the header
  genReqId: ({ headers }) => requestId(headers['x-request-id']),
  // No hook runs for a path that cannot be decoded, not even the one that ends a refused upgrade.
  frameworkErrors: (error, request, reply) => {
    reply.raw.once('finish', () => reply.raw.socket?.destroy());
    sendProblem(
      reply.header('connection', 'close').headers(SECURITY_HEADERS),
      isForSockets(request.url) ? refusal(error) : problemOf(error),
    );
  },
} as const satisfies FastifyServerOptions & { readonly http: ServerOptions };

/** Paths of raw WebSocket clients, whose refusals are a contract of their own. */
function isForSockets(url: string): boolean {
  return url.startsWith('/ws/');
}

function refusal(error: Error): ProblemDocument {
  return new ProtocolError('invalid_command', problemOf(error).detail).toProblem();
}

/** The caller's id when it is fit for a log, and a new one otherwise. */
function requestId(given: string | string[] | undefined): string {
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
}
