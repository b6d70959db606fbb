export type { SocketIoOptions } from './context.ts';
export { RecoveryIds } from './recovery/recovery-ids.ts';
export { SocketIoSettings } from './settings.ts';
export { SOCKET_IO_PATH, SocketIoTransport } from './socketio-transport.ts';
