export type { SocketIoContext } from './context.ts';
export { SocketIoSettings } from './settings.ts';
export { type SocketIoTransport, serveSocketIo } from './socketio.ts';
