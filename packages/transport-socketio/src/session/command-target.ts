import type { ClientSession, EndpointFeed } from '@leque/core';
import type { SocketIoConnection } from './socketio-connection.ts';

/** The session that a command acts on. */
export interface CommandTarget {
  readonly client: ClientSession<never>;
  readonly feed: EndpointFeed;
  readonly connection: SocketIoConnection;
  /** The socket's id, as its client knows it. */
  readonly clientId: string;
  readonly userId: string;
  /** A command has presented cursors of these channels: tells the client when they have caught up. */
  endReplay(presented: Iterable<string>): void;
}

/** The fields that a client sent; none when it sent no object. */
export function asObject(sent: unknown): Record<string, unknown> {
  return typeof sent === 'object' && sent !== null ? (sent as Record<string, unknown>) : {};
}
