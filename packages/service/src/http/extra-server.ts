import { createServer, type RequestListener, type Server } from 'node:http';
import { HTTP_OPTIONS } from './http-options.ts';
import { inviteBodiesWhenRead } from './unread-bodies.ts';

/**
 * Makes a server with the manners of `main` for another address. Bytes that are no request are answered by
 * `main`; the caller hands on requests and upgrades.
 */
export function createExtraServer(main: Server, handle: RequestListener): Server {
  const extra = createServer(HTTP_OPTIONS, handle);
  inviteBodiesWhenRead(extra);
  extra.on('clientError', (error, socket) => main.emit('clientError', error, socket));
  return extra;
}
