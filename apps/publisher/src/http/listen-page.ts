import { readFileSync } from 'node:fs';
import type { FastifyInstance } from 'fastify';

/** Only its own files run; the user may name another server to connect to. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
  "connect-src 'self' http: https: ws: wss:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const FILES = [
  { path: '/docs/listen', file: 'page.html', type: 'text/html; charset=utf-8' },
  { path: '/docs/listen.js', file: 'listen.js', type: 'text/javascript; charset=utf-8' },
  { path: '/docs/listen.css', file: 'listen.css', type: 'text/css; charset=utf-8' },
  { path: '/docs/listen.svg', file: 'listen.svg', type: 'image/svg+xml' },
] as const;

export const LOGO = read('listen.svg');

/** Adds `/docs/listen`, a page that follows a project live and publishes beside it. */
export function registerListenPage(app: FastifyInstance): void {
  for (const { path, file, type } of FILES) {
    const content = read(file);
    app.get(path, { schema: { hide: true } }, (_request, reply) =>
      reply.headers({ 'content-security-policy': POLICY, 'content-type': type }).send(content),
    );
  }
}

function read(file: string): Buffer {
  return readFileSync(new URL(`listen-page/${file}`, import.meta.url));
}
