/** Close codes of raw WebSocket, see PROTOCOL.md [CC]. They are wire contract: add, never change. */
export const CLOSE = {
  goingAway: 1001,
  unsupportedData: 1003,
  policyViolation: 1008,
  drained: 1012,
  tryAgainLater: 1013,
  tokenExpired: 4001,
  forbidden: 4003,
  slowConsumer: 4008,
  heartbeatTimeout: 4009,
  tooManyCommands: 4029,
} as const;

export type CloseCode = (typeof CLOSE)[keyof typeof CLOSE];
