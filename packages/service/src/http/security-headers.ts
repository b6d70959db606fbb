import type { FastifyInstance } from 'fastify';

/** Answers are data: no page may frame them, guess their type, or learn an address from a link. */
export const SECURITY_HEADERS = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
} as const;

/**
 * Gives every answer the headers above, unless a route sets its own, as `/docs` does. Call it
 * before other hooks are added, because one of them may answer.
 */
export function addSecurityHeaders(app: FastifyInstance): void {
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers(SECURITY_HEADERS);
    done();
  });
}
