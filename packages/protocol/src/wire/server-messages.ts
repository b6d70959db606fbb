/**
 * The names under which the server speaks to clients, in all transports: answers to commands, and
 * what it says by itself. Whatever encodes such a message takes a `ServerMessage`, so that a name
 * which is missing here does not compile. No publisher may use them as a type of event, except
 * those that are also known types of events, such as `error`.
 */
export const SERVER_MESSAGES = [
  'connection',
  'connected',
  'connections.count',
  'heartbeat',
  'pong',
  'subscribed',
  'subscribed.project',
  'subscribed.tasks',
  'unsubscribed',
  'unsubscribed.project',
  'unsubscribed.tasks',
  'stats',
  'resumed',
  'resync',
  'authenticated',
  'error',
  'task.event',
  'server.draining',
] as const;

export type ServerMessage = (typeof SERVER_MESSAGES)[number];

/** Names that Socket.IO and its clients give to what happens to a socket, and the client's `ping`. */
export const SOCKET_EVENTS = [
  'ping',
  'connect',
  'connect_error',
  'disconnect',
  'disconnecting',
  'newListener',
  'removeListener',
] as const;
