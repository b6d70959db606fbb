/**
 * The names under which the server speaks to clients, in all transports: answers to commands, and
 * what it says by itself. Whatever encodes such a message takes a `ServerMessage`, so that a name
 * which is missing here does not compile. No publisher may use them as a type of event, except
 * `SHARED_NAMES`.
 */
export const SERVER_MESSAGES = [
  'connection',
  'connected',
  'connections.count',
  'heartbeat',
  'pong',
  'subscribed',
  'subscribed.project',
  'subscribed.projects',
  'subscribed.tasks',
  'unsubscribed',
  'unsubscribed.project',
  'unsubscribed.projects',
  'unsubscribed.tasks',
  'stats',
  'resumed',
  'caught_up',
  'resync',
  'live.dropped',
  'authenticated',
  'error',
  'task.event',
  'server.draining',
] as const;

export type ServerMessage = (typeof SERVER_MESSAGES)[number];

/**
 * Names of the server's messages that are types of events as well, because many applications use
 * them. Clients tell the two apart by `channel`, which every publication has and these messages lack.
 */
export const SHARED_NAMES = [
  'error',
  'heartbeat',
  'stats',
] as const satisfies readonly ServerMessage[];

/**
 * Names that Socket.IO and its clients, the older ones included, give to what happens to a socket,
 * and the client's `ping`.
 */
export const SOCKET_EVENTS = [
  'ping',
  'connect',
  'connecting',
  'connect_error',
  'connect_failed',
  'connect_timeout',
  'disconnect',
  'disconnecting',
  'reconnect',
  'reconnecting',
  'reconnect_attempt',
  'reconnect_error',
  'reconnect_failed',
  'newListener',
  'removeListener',
] as const;

/** Names that every object of JavaScript has: a client that keeps handlers in an object trips over them. */
export const FORBIDDEN_NAMES: readonly string[] = [
  'prototype',
  ...Object.getOwnPropertyNames(Object.prototype),
];
