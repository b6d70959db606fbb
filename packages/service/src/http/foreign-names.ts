import { type AddressBook, assertHostAllowed, type OriginPolicy } from '@leque/core';
import type { FastifyInstance } from 'fastify';

/**
 * Refuses each request under a host name that is not allowed, whatever it asks for. Call it before
 * routes are added. Socket.IO takes its requests before any hook; its transport checks them.
 */
export function refuseForeignNames(
  app: FastifyInstance,
  origins: OriginPolicy,
  addresses: Pick<AddressBook, 'namesOf'>,
): void {
  app.addHook('onRequest', ({ raw }, _reply, done) => {
    assertHostAllowed({ names: addresses.namesOf(raw) }, { origins });
    done();
  });
}
