import { Type } from 'typebox';

export const SocketIoSettings = Type.Object({
  SOCKETIO_EIO3: Type.Enum(['on', 'off'], {
    default: 'off',
    description: 'accept Engine.IO 3 clients (Socket.IO 2.x)',
  }),
  SOCKETIO_RECOVERY: Type.Enum(['on', 'off'], {
    default: 'on',
    description:
      "whether Socket.IO's own connection state recovery works, on every node; it takes " +
      'WEBSOCKET_MAX_MESSAGE_SIZE of at least 32768',
  }),
  SOCKETIO_RECOVERY_SECRET: Type.Optional(
    Type.String({
      minLength: 32,
      description:
        'signs what clients keep of their state; the same on all gateways. Without it JWT_SECRET ' +
        'does; without both, state is recovered on the same node only',
    }),
  ),
});
