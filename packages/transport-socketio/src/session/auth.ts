import type { Socket } from 'socket.io';

/**
 * What a client has said of itself when it joined. In revision 3 the CONNECT packet may have a query,
 * which Socket.IO takes for `auth`; clients that cannot add one say `cursors` and `projects` in the
 * query of the connection.
 */
export function authOf({ handshake, conn }: Socket): Readonly<Record<string, unknown>> {
  if (conn.protocol !== 3) return handshake.auth;
  const { cursors, projects } = handshake.query;
  return { cursors, projects, ...handshake.auth };
}
