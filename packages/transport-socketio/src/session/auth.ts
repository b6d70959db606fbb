import type { Socket } from 'socket.io';

/**
 * The `auth` of a client. In Engine.IO 3 the CONNECT packet may have a query, which Socket.IO presents as
 * `auth`. Clients that cannot add a query there put `cursors` and `projects` into that of the connection.
 */
export function authOf({ handshake, conn }: Socket): Readonly<Record<string, unknown>> {
  if (conn.protocol !== 3) return handshake.auth;
  const { cursors, projects } = handshake.query;
  return { cursors, projects, ...handshake.auth };
}
