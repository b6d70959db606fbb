import type { FastifyInstance } from 'fastify';

/**
 * Ends each connection with its next answer, error answers included, while `isNeeded` returns true.
 * The hook makes no promise, because every answer passes it.
 */
export function endConnectionsWhile(app: FastifyInstance, isNeeded: () => boolean): void {
  app.addHook('onSend', (_request, reply, ...[payload, done]) => {
    if (isNeeded()) reply.header('connection', 'close');
    done(null, payload);
  });
}
