import { createServer, type RequestListener, type Server } from 'node:http';
import { httpOptions } from './http-options.ts';
import { inviteBodiesWhenRead } from './unread-bodies.ts';

export interface MainServer {
  readonly server: Server;
  readonly basePath: string | undefined;
}

/**
 * Makes a server with the manners of `main` for another address. Bytes that are no request are answered by
 * `main`; the caller hands on requests and upgrades.
 */
export function createExtraServer(main: MainServer, handle: RequestListener): Server {
  const extra = createServer(httpOptions(main.basePath), handle);
  inviteBodiesWhenRead(extra);
  extra.on('clientError', (error, socket) => main.server.emit('clientError', error, socket));
  return extra;
}
