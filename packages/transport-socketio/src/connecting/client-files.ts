import { readFile } from 'node:fs/promises';
import { type IncomingMessage, ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Server } from 'socket.io';

type Next = (error?: unknown) => void;

const compress = promisify(gzip);

/** The names that Socket.IO's own servers have for its client; each may have `.map` at its end. */
const FILE = /^socket\.io(?:\.min|\.esm\.min|\.msgpack\.min)?\.js(\.map)?$/;
const ALLOW_ORIGIN = 'access-control-allow-origin';
/** A page may keep a file this long; the next version of the server has another ETag. */
const CACHE_CONTROL = 'public, max-age=3600';

interface ClientFile {
  readonly plain: Buffer;
  readonly gzipped: Buffer;
}

/**
 * Serves the official client beneath the path of Socket.IO, as other servers do by default. Each file is
 * read and compressed once, at its first request; Socket.IO itself would do both for every request.
 */
export function serveClientFiles(engine: Server['engine'], path: string, read = readZipped): void {
  const files = new Map<string, Promise<ClientFile>>();
  const { folder, version } = findClient();
  const tag = `"${version}"`;
  const etag = `W/${tag}`; // weak, because a file has the same one with gzip and without
  engine.use((request: IncomingMessage, response: object, next: Next) => {
    const name = fileNameIn(request, path);
    if (name === undefined || !(response instanceof ServerResponse)) {
      next();
      return;
    }
    if (request.headers['if-none-match']?.includes(tag)) {
      response.writeHead(304, { etag, 'cache-control': CACHE_CONTROL }).end();
      return;
    }
    fileOf(name).then((content) => send(request, response, { ...content, name, etag }), next);
  });

  /** A file that could not be read, for example without a free descriptor, is read again. */
  function fileOf(name: string): Promise<ClientFile> {
    const known = files.get(name);
    if (known !== undefined) return known;
    const file = read(join(folder, name));
    files.set(name, file);
    file.catch(() => files.delete(name));
    return file;
  }
}

interface Sent extends ClientFile {
  readonly name: string;
  readonly etag: string;
}

function send(request: IncomingMessage, response: ServerResponse, sent: Sent): void {
  const zips = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''));
  const body = zips ? sent.gzipped : sent.plain;
  const type = sent.name.endsWith('.map') ? 'application/json' : 'text/javascript';
  response.writeHead(200, {
    'content-type': `${type}; charset=utf-8`,
    'content-length': body.length,
    'cache-control': CACHE_CONTROL,
    // Modules of pages elsewhere are fetched by CORS; the file is public.
    ...(response.hasHeader(ALLOW_ORIGIN) ? {} : { [ALLOW_ORIGIN]: '*' }),
    'cross-origin-resource-policy': 'cross-origin',
    'x-content-type-options': 'nosniff',
    vary: 'Accept-Encoding',
    etag: sent.etag,
    ...(zips && { 'content-encoding': 'gzip' }),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

function fileNameIn({ method, url = '' }: IncomingMessage, path: string): string | undefined {
  if ((method !== 'GET' && method !== 'HEAD') || !url.startsWith(path)) return undefined;
  const [name = ''] = url.slice(path.length).split('?');
  return FILE.test(name) ? name : undefined;
}

/** The client in the package of the server has the server's version. */
function findClient(): { folder: string; version: string } {
  const require = createRequire(import.meta.url);
  const manifest = require.resolve('socket.io/package.json');
  const { version } = require(manifest) as { version: string };
  return { folder: join(dirname(manifest), 'client-dist'), version };
}

async function readZipped(path: string): Promise<ClientFile> {
  const plain = await readFile(path);
  return { plain, gzipped: await compress(plain) };
}
