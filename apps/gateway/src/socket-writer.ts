import { writeSync } from 'node:fs';
import type { SendingSocket, SocketWriter } from '@leque/core';

/** Private fields of Node's TCP sockets; without them, as on Windows, writes go the normal way. */
interface WithDescriptor {
  readonly _handle?: { readonly fd?: number } | null;
  /** Set on TLS sockets, whose descriptor is below the encryption. */
  readonly encrypted?: boolean;
}

/** Write errors of a closed connection; the socket's `close` event follows. */
const GONE: ReadonlySet<string | undefined> = new Set(['EPIPE', 'ECONNRESET']);

/**
 * Writes to the kernel past Node's streams, which make an object and a callback for each write.
 * Bytes that the kernel does not take go the normal way, and so do all bytes while a socket has some
 * queued, so that their order is kept.
 */
export const kernelWriter: SocketWriter = {
  write(socket, bytes) {
    const taken = socket.writableLength === 0 ? writeNow(socket, bytes) : 0;
    if (taken === 0) socket.write(bytes);
    else if (taken < bytes.length) socket.write(bytes.subarray(taken));
  },
};

/** @returns the bytes that need no other way: taken by the kernel, or for a client that is gone */
function writeNow(socket: SendingSocket, bytes: Buffer): number {
  const { _handle, encrypted } = socket as WithDescriptor;
  const fd = _handle?.fd ?? -1;
  if (fd < 0 || encrypted) return 0;
  try {
    return writeSync(fd, bytes);
  } catch (error) {
    return GONE.has((error as NodeJS.ErrnoException).code) ? bytes.length : 0;
  }
}
