import { Type } from 'typebox';

export const SocketIoSettings = Type.Object({
  SOCKETIO_EIO3: Type.Enum(['on', 'off'], {
    default: 'off',
    description: 'whether Engine.IO 3 clients (Socket.IO 2.x) are accepted',
  }),
  SOCKETIO_RECOVERY: Type.Enum(['auto', 'on', 'off'], {
    default: 'auto',
    description:
      "which clients may use Socket.IO's own connection state recovery, on every node: with auto " +
      'official JavaScript clients and clients with auth.recovery true, with on all clients of ' +
      'Engine.IO 4. Their events have one more argument, the offset. Recovery needs a ' +
      'WEBSOCKET_MAX_MESSAGE_SIZE of at least 32768',
  }),
  SOCKETIO_RECOVERY_SECRET: Type.Optional(
    Type.String({
      minLength: 32,
      description:
        'secret that signs the state which Socket.IO clients carry, the same on all gateways; ' +
        'JWT_SECRET is used without it, and without both a client recovers on the same node only',
    }),
  ),
});
