export { GatewayConfig, GatewaySettings, gatewayRules, readGatewayConfig } from './config.ts';
export {
  createGateway,
  type Gateway,
  type GatewayParts,
  stopTimeoutMs,
  watchGateway,
} from './gateway.ts';
export { redisAdapter } from './socketio-adapter.ts';
