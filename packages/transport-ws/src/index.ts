export { registerWebSockets } from './serve.ts';
export type { WsContext } from './session/context.ts';
export { WebSocketSettings } from './settings.ts';
