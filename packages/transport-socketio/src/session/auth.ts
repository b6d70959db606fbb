import { ignoredFields } from '@leque/protocol';
import type { Socket } from 'socket.io';
import { Type } from 'typebox';

/** What `auth` may have; Socket.IO's clients add `pid` and `offset`. */
const FIELDS = Type.Object({
  token: Type.Unknown(),
  cursors: Type.Unknown(),
  projects: Type.Unknown(),
  grants: Type.Unknown(),
  pid: Type.Unknown(),
  offset: Type.Unknown(),
});

/**
 * The `auth` of a client. In Engine.IO 3 the CONNECT packet may have a query, which Socket.IO presents as
 * `auth`. Clients that cannot add a query there put `cursors` and `projects` into that of the connection.
 */
export function authOf({ handshake, conn }: Socket): Readonly<Record<string, unknown>> {
  if (conn.protocol !== 3) return handshake.auth;
  const { cursors, projects } = handshake.query;
  return { cursors, projects, ...handshake.auth };
}

/** Names the fields of a client's `auth` that are not known, if there are any. */
export function ignoredInAuth(auth: Readonly<Record<string, unknown>>): object {
  const ignored = ignoredFields(FIELDS, { ...auth, projects: undefined });
  return ignored.length === 0 ? {} : { ignored };
}
