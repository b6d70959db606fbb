import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/** Calls `task` before each answer is sent, also before that of an error. Makes no promise for it. */
export function beforeAnswers(
  app: FastifyInstance,
  task: (request: FastifyRequest, reply: FastifyReply) => void,
): void {
  app.addHook('onSend', (request, reply, ...[payload, done]) => {
    task(request, reply);
    done(null, payload);
  });
}
