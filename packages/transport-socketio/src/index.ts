export type { SocketIoContext } from './context.ts';
export { RecoveryIds } from './recovery/recovery-ids.ts';
export { type SocketIoTransport, serveSocketIo } from './serve.ts';
export { SocketIoSettings } from './settings.ts';
