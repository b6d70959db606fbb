import { ProtocolError } from '@leque/protocol';
import { REQUEST_LIMITS } from '@leque/service';
import type { FastifyInstance, FastifyReply, FastifyServerOptions } from 'fastify';

/** Ids have up to 128 characters, each of which may come as %XX. */
const MAX_PARAM_LENGTH = 512;

/** What only a server as a whole can be told. */
export const SERVER_OPTIONS = {
  ...REQUEST_LIMITS,
  routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
  // Of a path that cannot be read: no hook runs for it, hence none that ends a refused upgrade.
  frameworkErrors: (error, _request, reply) => {
    reply.raw.once('finish', () => reply.raw.socket?.destroy());
    sendProblem(reply.header('connection', 'close'), 'invalid_command', error.message);
  },
} as const satisfies FastifyServerOptions;

/** Paths that lead nowhere; once in a server. */
export function answerNotFound(app: FastifyInstance): void {
  app.setNotFoundHandler(({ method, url }, reply) =>
    sendProblem(reply, 'not_found', `there is no ${method} ${url}`),
  );
}

function sendProblem(
  reply: FastifyReply,
  code: 'invalid_command' | 'not_found',
  detail: string,
): FastifyReply {
  const error = new ProtocolError(code, detail);
  return reply.code(error.status).type('application/problem+json').send(error.toProblem());
}
