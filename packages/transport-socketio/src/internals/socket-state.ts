import type { Socket } from 'socket.io';

/** What is private in Socket.IO, and relied on here and nowhere else. */
interface SocketInternals {
  id: string;
  /** Sent to the client in the CONNECT packet, whether Socket.IO's own recovery is on or not. */
  pid: string | undefined;
  readonly nsp: { readonly _preConnectSockets?: Map<string, unknown> };
}

/** What the client will be told when it is connected, and shows when it comes back. */
export function setPid(socket: Socket, pid: string | undefined): void {
  (socket as unknown as SocketInternals).pid = pid;
}

/**
 * Gives a socket that is not connected yet the id that its client knew before; unless a socket of
 * this node has it, for one the same client's, of which nobody has noticed yet that it is dead.
 */
export function takeBackId(socket: Socket, id: string): void {
  const { sockets } = socket.nsp;
  const internals = socket as unknown as SocketInternals;
  const connecting = internals.nsp._preConnectSockets;
  if (sockets.has(id) || connecting === undefined || connecting.has(id)) return;
  if (!connecting.delete(socket.id)) return;
  internals.id = id;
  connecting.set(id, socket);
}
