import { assertHostAllowed, type OriginPolicy } from '@leque/core';
import type { FastifyInstance } from 'fastify';

/**
 * Refuses each request under a host name that is not allowed, whatever it asks for. To be called
 * before routes are added. Requests that Socket.IO takes before any hook are checked by its transport.
 */
export function refuseForeignNames(app: FastifyInstance, origins: OriginPolicy): void {
  app.addHook('onRequest', ({ headers: { host } }, _reply, done) => {
    assertHostAllowed({ host }, { origins });
    done();
  });
}
