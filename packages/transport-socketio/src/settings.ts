import { Type } from 'typebox';

export const SocketIoSettings = Type.Object({
  SOCKETIO_EIO3: Type.Enum(['on', 'off'], {
    default: 'off',
    description: 'whether Engine.IO 3 clients (Socket.IO 2.x) are accepted',
  }),
  SOCKETIO_RECOVERY: Type.Enum(['auto', 'on', 'off'], {
    default: 'auto',
    description:
      "whether Socket.IO's own connection state recovery works on every node; it needs a " +
      'WEBSOCKET_MAX_MESSAGE_SIZE of at least 32768. Events then have one argument more, so ' +
      'that with auto it works for official JavaScript clients and those with auth.recovery ' +
      'true, and with on for all of Engine.IO 4',
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
