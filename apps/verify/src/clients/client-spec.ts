import type { LogEntry } from '../audit/channel-log.ts';
import type { LiveRecord } from '../audit/live-log.ts';

export const CLIENT_KINDS = [
  'notifications',
  'project',
  'room',
  'socketio',
  'polling',
  'recovering',
] as const;
export type ClientKind = (typeof CLIENT_KINDS)[number];

export interface ClientSpec {
  readonly id: string;
  /**
   * `notifications` and `project` are raw WebSocket clients of those endpoints: the first resumes
   * with the cursors of all its channels, the second subscribes with `since`. `room` is one of the first
   * endpoint whose project comes by a grant, which it renews or lets end. The others are official
   * Socket.IO clients: `socketio` and `polling` present `auth.cursors`; `recovering` relies on Socket.IO's
   * connection state recovery.
   */
  readonly kind: ClientKind;
  readonly token: string;
  /** The channels that it must receive; it must not receive any other. */
  readonly channels: readonly string[];
  /** The projects to which it subscribes. */
  readonly projects: readonly string[];
  /** Signs the grants of a `room`; undefined for the other kinds. */
  readonly grants?: GrantSpec;
}

export interface GrantSpec {
  /** The secret that signs the tokens of the system. */
  readonly secret: string;
  readonly userId: string;
  /** Whether the client renews its grant in time, or goes on with a new one when it has ended. */
  readonly renewed: boolean;
}

/** The clients of one process. */
export interface GroupSpec {
  readonly run: string;
  /** URLs of the gateways or of their load balancer. */
  readonly urls: readonly string[];
  /** Whether connections go through a proxy that can cut them, or directly to a gateway. */
  readonly links: 'proxied' | 'direct';
  readonly seed: number;
  readonly clients: readonly ClientSpec[];
}

export interface GroupStatus {
  /** Clients whose subscriptions are established. */
  readonly open: number;
  /** The number of such clients for each channel. */
  readonly openByChannel: Readonly<Record<string, number>>;
  /** Connections established so far. */
  readonly connects: number;
}

/** A client whose subscriptions are not established. */
export interface MissingClient {
  readonly id: string;
  readonly kind: ClientKind;
  /** Why its last connection failed or ended. */
  readonly reason: string;
}

/** Everything that one client has received. */
export interface ClientResult {
  readonly id: string;
  readonly kind: ClientKind;
  readonly logs: Readonly<Record<string, readonly LogEntry[]>>;
  readonly lives: Readonly<Record<string, LiveRecord>>;
  /** Channels that it received without permission. */
  readonly strays: readonly string[];
  /** Protocol violations that the logs do not contain. */
  readonly problems: readonly string[];
  /** Longest time without a publication under load, in milliseconds. */
  readonly longestPauseMs: number;
  readonly connects: number;
  /** Longest time from a disconnect until its subscriptions were established again, in ms. */
  readonly slowestReturnMs: number;
}
