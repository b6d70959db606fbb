import { writeSync } from 'node:fs';
import type { SendingSocket, SocketWriter } from '@leque/core';

/** Private in Node's TCP sockets; without it, as on Windows, everything goes the normal way. */
interface WithDescriptor {
  readonly _handle?: { readonly fd?: number } | null;
  /** Of TLS sockets, whose descriptor is the one below the encryption. */
  readonly encrypted?: boolean;
}

/** How a write fails whose client is gone: the socket tells whoever listens, soon. */
const GONE: ReadonlySet<string | undefined> = new Set(['EPIPE', 'ECONNRESET']);

/**
 * Hands bytes to the kernel past Node's streams, which make an object for each write and call it
 * back. What the kernel does not take, and everything while a socket has something queued, goes the
 * normal way, so that order is kept.
 */
export const kernelWriter: SocketWriter = {
  write(socket, bytes) {
    const taken = socket.writableLength === 0 ? writeNow(socket, bytes) : 0;
    if (taken === 0) socket.write(bytes);
    else if (taken < bytes.length) socket.write(bytes.subarray(taken));
  },
};

/** @returns how many bytes are done with: taken by the kernel, or for a client that is gone */
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
