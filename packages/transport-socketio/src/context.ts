import type { TransportContext } from '@leque/core';
import type { ServerOptions } from 'socket.io';
import type { SocketSlimmer } from './internals/socket-slimmer.ts';
import type { ClientHandshake } from './recovery/offset-keepers.ts';
import type { RecoveryIds } from './recovery/recovery-ids.ts';

export interface SocketIoOptions {
  /** Serves Socket.IO's own cluster calls; publications never travel through it. */
  readonly adapter: ServerOptions['adapter'] | undefined;
  /** Undefined where clients cannot come back with their state. */
  readonly recovery: RecoveryIds | undefined;
  /** Whether all clients of Engine.IO 4 get offsets, or only clients that are known to keep them. */
  readonly offsetsFor: 'all' | 'keepers';
  /** Whether clients of revision 3 of Engine.IO are served. */
  readonly engineIo3: boolean;
}

/** The parts that all Socket.IO connections of a node share. */
export interface SocketIoContext extends TransportContext {
  readonly recovery: RecoveryIds | undefined;
  /** Whether a client's events have an offset as their last argument. */
  readonly keepsOffsets: (handshake: ClientHandshake) => boolean;
  /** Whether frames may be written beneath Engine.IO, as the installed versions allow. */
  readonly direct: boolean;
  /** Undefined where the installed versions do not allow it. */
  readonly slimmer: SocketSlimmer | undefined;
  /** Writes since the start of the process, by their way to the socket. */
  readonly writes: { direct: number; engine: number };
}
