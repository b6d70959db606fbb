import type { LogEntry } from '../audit/channel-log.ts';

export const CLIENT_KINDS = [
  'notifications',
  'project',
  'socketio',
  'polling',
  'recovering',
] as const;
export type ClientKind = (typeof CLIENT_KINDS)[number];

export interface ClientSpec {
  readonly id: string;
  /**
   * `notifications` and `project` are the endpoints of raw WebSocket clients: the one resumes with
   * the cursors of all its channels, the other subscribes with `since`. The others are official
   * Socket.IO clients: with `auth.cursors`, over WebSocket or polling, or with nothing but their own
   * connection state recovery.
   */
  readonly kind: ClientKind;
  readonly token: string;
  /** All that it is to get, and nothing else. */
  readonly channels: readonly string[];
  /** Those among them that it asks for. */
  readonly projects: readonly string[];
}

/** Clients in a process of their own. */
export interface GroupSpec {
  readonly run: string;
  /** Of the gateways. */
  readonly urls: readonly string[];
  /** Whether each connection goes through a proxy that can break it, or straight to a gateway. */
  readonly links: 'proxied' | 'direct';
  readonly seed: number;
  readonly clients: readonly ClientSpec[];
}

export interface GroupStatus {
  /** Clients whose subscriptions are established. */
  readonly open: number;
  /** The same, by channel that they get. */
  readonly openByChannel: Readonly<Record<string, number>>;
  /** Connections that were established so far. */
  readonly connects: number;
}

/** A client whose subscriptions are not established. */
export interface MissingClient {
  readonly id: string;
  readonly kind: ClientKind;
  /** Why its last connection failed or ended. */
  readonly reason: string;
}

/** What one client was told, as it is handed over at the end. */
export interface ClientResult {
  readonly id: string;
  readonly kind: ClientKind;
  readonly logs: Readonly<Record<string, readonly LogEntry[]>>;
  /** Channels that it must not see but did. */
  readonly strays: readonly string[];
  /** Breaches of the protocol that the logs do not show. */
  readonly problems: readonly string[];
  /** Longest time without a publication while there was load, in milliseconds. */
  readonly longestPauseMs: number;
  readonly connects: number;
  /** From the first attempt to come back until its subscriptions stood, at worst: milliseconds. */
  readonly slowestReturnMs: number;
}
