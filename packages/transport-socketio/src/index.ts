export type { SocketIoContext } from './context.ts';
export { RecoveryIds } from './recovery-ids.ts';
export { SocketIoSettings } from './settings.ts';
export { type SocketIoTransport, serveSocketIo } from './socketio.ts';
