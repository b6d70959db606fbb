import { randomUUID } from 'node:crypto';
import { REQUEST_LIMITS } from '@leque/service';
import type { FastifyServerOptions } from 'fastify';
import { sendProblem } from './answer-problems.ts';
import { problemOf } from './problem.ts';

const REQUEST_ID = /^[\w.:/+=@-]{1,128}$/;

/** What only a server as a whole can be told; whoever registers the publisher's plugin needs it. */
export const SERVER_OPTIONS = {
  ...REQUEST_LIMITS,
  // Ids have up to 128 characters, each of which may come as %XX.
  routerOptions: { maxParamLength: 512 },
  requestIdHeader: false, // genReqId looks at it
  genReqId: ({ headers }) => requestId(headers['x-request-id']),
  // Of a path that cannot be read: no hook runs for it, hence none that ends a refused upgrade.
  frameworkErrors: (error, _request, reply) => {
    reply.raw.once('finish', () => reply.raw.socket?.destroy());
    sendProblem(reply.header('connection', 'close'), problemOf(error));
  },
} as const satisfies FastifyServerOptions;

/** The caller's own, as far as it fits into a log; else one of ours. It is in the answer, too. */
function requestId(given: string | string[] | undefined): string {
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
}
