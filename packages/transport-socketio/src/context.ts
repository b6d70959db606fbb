import type { TransportContext, TransportLimits } from '@leque/core';
import type { ServerOptions } from 'socket.io';
import type { RecoveryIds } from './recovery/recovery-ids.ts';

/** What the transport needs of its node. */
export interface SocketIoContext extends TransportContext {
  /** For Socket.IO's own cluster calls; publications never travel through it. */
  readonly adapter: ServerOptions['adapter'] | undefined;
  /** Undefined where clients cannot come back with their state. */
  readonly recovery: RecoveryIds | undefined;
  readonly limits: TransportLimits & { readonly engineIo3: boolean };
}
