export type { WsContext } from './context.ts';
export { registerWebSockets } from './plugin.ts';
export { WebSocketSettings } from './settings.ts';
