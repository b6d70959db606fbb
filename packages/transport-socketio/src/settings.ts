import { Type } from 'typebox';

export const SocketIoSettings = Type.Object({
  SOCKETIO_EIO3: Type.Enum(['on', 'off'], {
    default: 'off',
    description: 'accept Engine.IO 3 clients (Socket.IO 2.x)',
  }),
});
