import type { Transport, TransportContext } from '@leque/core';
import { SOCKET_IO_PATH, type SocketIoOptions, SocketIoTransport } from '@leque/transport-socketio';
import { WsTransport } from '@leque/transport-ws';
import type { FastifyInstance } from 'fastify';
import type { GatewaySettings } from './settings.ts';
import { recoveryIds } from './socketio-recovery.ts';

export type GatewayTransport = Transport<FastifyInstance>;

export interface TransportOptions {
  readonly settings: GatewaySettings;
  /** Socket.IO's own cluster adapter; undefined in a single process. */
  readonly socketIoAdapter: SocketIoOptions['adapter'];
}

/** Makes all transports that a gateway serves; a new one is added here and nowhere else. */
export function createTransports(
  context: TransportContext,
  { settings, socketIoAdapter }: TransportOptions,
): readonly GatewayTransport[] {
  return [
    new WsTransport(context, {
      compression: settings.WEBSOCKET_COMPRESSION === 'on',
      otherPaths: [SOCKET_IO_PATH.replace(/\/$/, '')],
    }),
    new SocketIoTransport(context, {
      adapter: socketIoAdapter,
      recovery: recoveryIds(settings, context.telemetry, socketIoAdapter === undefined),
      offsetsFor: settings.SOCKETIO_RECOVERY === 'on' ? 'all' : 'keepers',
      engineIo3: settings.SOCKETIO_EIO3 === 'on',
    }),
  ];
}
