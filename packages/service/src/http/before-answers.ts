import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/** Calls `task` before each answer, error answers included. The hook makes no promise. */
export function beforeAnswers(
  app: FastifyInstance,
  task: (request: FastifyRequest, reply: FastifyReply) => void,
): void {
  app.addHook('onSend', (request, reply, ...[payload, done]) => {
    task(request, reply);
    done(null, payload);
  });
}
