import { REQUEST_LIMITS } from '@leque/core';
import type { FastifyServerOptions } from 'fastify';
import { sendProblem } from './answer-problems.ts';
import { problemOf } from './problem.ts';

/** What only a server as a whole can be told; whoever registers the publisher's plugin needs it. */
export const SERVER_OPTIONS = {
  ...REQUEST_LIMITS,
  // Ids have up to 128 characters, each of which may come as %XX.
  routerOptions: { maxParamLength: 512 },
  // Of a path that cannot be read: no hook runs for it, hence none that ends a refused upgrade.
  frameworkErrors: (error, _request, reply) => {
    reply.raw.once('finish', () => reply.raw.socket?.destroy());
    sendProblem(reply.header('connection', 'close'), problemOf(error));
  },
} as const satisfies FastifyServerOptions;
