import type { FastifyServerOptions } from 'fastify';
import { sendProblem } from './answer-problems.ts';
import { problemOf } from './problem.ts';

/** What only a server as a whole can be told; whoever registers the publisher's plugin needs it. */
export const SERVER_OPTIONS = {
  // Ids have up to 128 characters, each of which may come as %XX.
  routerOptions: { maxParamLength: 512 },
  frameworkErrors: (error, _request, reply) => {
    sendProblem(reply, problemOf(error));
  },
} as const satisfies FastifyServerOptions;
