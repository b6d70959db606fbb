export { GatewayConfig, readGatewayConfig } from './config.ts';
export { createGateway, type Gateway, type GatewayDeps } from './gateway.ts';
export { GATEWAY_LOG_CONTEXT, type GatewayBackend, serveGateway } from './server.ts';
export { GatewaySettings, gatewayRules } from './settings.ts';
export { redisAdapter } from './socketio-adapter.ts';
export { createTransports } from './transports.ts';
