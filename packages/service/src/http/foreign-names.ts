import { assertHostAllowed, type OriginPolicy } from '@leque/core';
import type { FastifyInstance } from 'fastify';

/**
 * Refuses each request under a host name that is not allowed, whatever it asks for. Call it before
 * routes are added. Socket.IO takes its requests before any hook; its transport checks them.
 */
export function refuseForeignNames(app: FastifyInstance, origins: OriginPolicy): void {
  app.addHook('onRequest', ({ headers: { host } }, _reply, done) => {
    assertHostAllowed({ host }, { origins });
    done();
  });
}
