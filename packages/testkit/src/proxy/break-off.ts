import type { Socket } from 'node:net';

/**
 * Breaks a connection: the peer sees a reset, unless this end was closing it already. Node does not
 * close the handle of a socket that is reset while it shuts down, and a process with such a handle
 * may never end.
 */
export function breakOff(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
