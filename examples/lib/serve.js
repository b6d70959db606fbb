// A small HTTP server for the examples; use the framework that you know.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { GATEWAY_URL, tokenFor } from './leque-api.js';

const { PORT = '8080', HOST = 'localhost' } = process.env;
const FILE = /^\/(?:lib|board|desk|agent)\/[a-z-]+\.(html|js)$/;
const TYPES = { html: 'text/html; charset=utf-8', js: 'text/javascript; charset=utf-8' };

/** An answer that is no success, such as `new Refusal(403, 'not a member')`. */
export class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/**
 * Serves a page and the modules that it loads, and JSON.
 * @param page such as `/board/page.html`
 * @param routes such as `'GET /boards/:board': ({ user, params, body }) => answer`
 */
export function serve(page, routes) {
  const all = {
    // An example has no passwords: whoever says a name, is that user.
    'GET /token': ({ user }) => ({ url: GATEWAY_URL, token: tokenFor(user) }),
    'GET /readyz': () => ({}),
    ...routes,
  };
  const server = createServer(async (request, response) => {
    try {
      const { pathname } = new URL(request.url, 'http://example');
      if (pathname === '/') response.writeHead(302, { location: page }).end();
      else if (FILE.test(pathname)) await sendFile(response, pathname);
      else await answer(request, response, find(all, request.method, pathname));
    } catch (error) {
      const { status = 500, message } = error;
      response.writeHead(status, { 'content-type': 'text/plain' }).end(message);
    }
  });
  server.listen(Number(PORT), HOST, () => console.log(`http://${HOST}:${PORT}${page}`));
}

function find(routes, method, pathname) {
  for (const [name, handle] of Object.entries(routes)) {
    const [routeMethod, pattern] = name.split(' ');
    const source = pattern.replaceAll(/:(\w+)/g, '(?<$1>[^/]+)');
    const found = routeMethod === method && new RegExp(`^${source}$`).exec(pathname);
    if (found) return { handle, params: { ...found.groups } };
  }
  throw new Refusal(404, `no ${method} ${pathname}`);
}

async function answer(request, response, { handle, params }) {
  const { 'x-user': user, 'content-length': length = '0' } = request.headers;
  const body = length === '0' ? {} : await json(request);
  const text = JSON.stringify((await handle({ user, params, body })) ?? {});
  response.writeHead(200, { 'content-type': 'application/json' }).end(text);
}

async function sendFile(response, pathname) {
  const file = await readFile(new URL(`..${pathname}`, import.meta.url)).catch(() => {
    throw new Refusal(404, `no ${pathname}`);
  });
  response.writeHead(200, { 'content-type': TYPES[pathname.split('.').pop()] }).end(file);
}
