import type { Socket } from 'socket.io';
import { socketOf } from './private-fields.ts';

/** Sets the `pid` that the client gets when it is connected, and presents when it comes back. */
export function setPid(socket: Socket, pid: string | undefined): void {
  socketOf(socket).pid = pid;
}

/**
 * Gives a socket that is not connected yet the id that its client had before; unless a socket of
 * this node still has it, such as one of the same client that nobody has noticed to be dead.
 */
export function takeBackId(socket: Socket, id: string): void {
  const { sockets } = socket.nsp;
  const internals = socketOf(socket);
  const connecting = internals.nsp._preConnectSockets;
  if (sockets.has(id) || connecting === undefined || connecting.has(id)) return;
  if (!connecting.delete(socket.id)) return;
  internals.id = id;
  connecting.set(id, socket);
}
