export { WebSocketSettings } from './settings.ts';
export { type WsOptions, WsTransport } from './ws-transport.ts';
