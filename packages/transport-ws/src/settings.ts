import { Type } from 'typebox';

/** The variables of the raw WebSocket transport; some of them rule every transport. */
export const WebSocketSettings = Type.Object({
  WEBSOCKET_HEARTBEAT_INTERVAL: Type.Number({
    default: 30,
    minimum: 0.05,
    description: 'seconds between `heartbeat` events',
  }),
  WEBSOCKET_PING_INTERVAL: Type.Number({
    default: 25,
    minimum: 0.05,
    description:
      'most seconds between pings of the protocol, on every transport; less than the idle timeout ' +
      'of each proxy in front',
  }),
  WEBSOCKET_TIMEOUT: Type.Number({
    default: 90,
    minimum: 0.1,
    description:
      'seconds of silence after which a client of any transport is closed; more than ' +
      'WEBSOCKET_HEARTBEAT_INTERVAL',
  }),
  WEBSOCKET_MAX_CONNECTIONS: Type.Integer({
    default: 1000,
    minimum: 1,
    description: 'most connections of one node, over all transports',
  }),
  WEBSOCKET_MAX_JOINING: Type.Integer({
    default: 1000,
    minimum: 1,
    description:
      'most connections of one node whose clients have not sent a whole request or a token yet; ' +
      'they take places that nobody uses, and the oldest makes room for the next',
  }),
  WEBSOCKET_COMPRESSION: Type.Enum(['on', 'off'], {
    default: 'off',
    description: 'whether clients may negotiate permessage-deflate (RFC 7692)',
  }),
  WEBSOCKET_MAX_MESSAGE_SIZE: Type.Integer({
    default: 65_536,
    minimum: 64,
    description: 'most bytes in one message from a client of any transport',
  }),
});
