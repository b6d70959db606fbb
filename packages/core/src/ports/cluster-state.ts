import type { Stats } from '@leque/protocol';

/** Running totals of the cluster, kept over restarts. */
export interface Totals {
  readonly connections: number;
  readonly messagesSent: number;
  readonly broadcasts: number;
}

/** Receives what the cluster state has for this node; must not throw. */
export interface ClusterStateSink {
  /** The connections of a user of this node may have changed somewhere in the cluster. */
  userConnectionsChanged(userId: string, connections: number): void;
}

/**
 * Node leases and counts. Each node states its own absolute numbers, which count only while its
 * lease lives; nothing is incremented that a crash could leave behind (CNT).
 *
 * Every call settles within a deadline. Queries reject with ProtocolError `unavailable` when there
 * is no answer. Setters never fail: a number that cannot be stored now is stored later.
 */
export interface ClusterState {
  /**
   * Takes a lease for this process and keeps it. A process that only queries need not join. Never
   * rejects: a lease that cannot be taken now is taken as soon as possible.
   */
  join(sink: ClusterStateSink): Promise<void>;
  /** Sets the number of this node's sessions in a channel. */
  setSubscribers(channel: string, sessions: number): void;
  /** Sets the number of this node's connections. */
  setConnections(connections: number): void;
  /** Sets the number of this node's connections of one user. */
  setUserConnections(userId: string, connections: number): void;
  /**
   * Adds to the running totals within a second, at most once: an addition that certainly failed is
   * repeated, and one that may have succeeded is not.
   */
  addTotals(totals: Partial<Totals>): void;
  /**
   * Sessions in these channels in the whole cluster, in the order of the argument.
   * @throws ProtocolError `unavailable`
   */
  subscribers(channels: readonly string[]): Promise<number[]>;
  /**
   * Connections of these users in the whole cluster, in the order of the argument.
   * @throws ProtocolError `unavailable`
   */
  userConnections(userIds: readonly string[]): Promise<number[]>;
  /**
   * Statistics of the whole cluster; may be a moment old.
   * @throws ProtocolError `unavailable`
   */
  stats(): Promise<Stats>;
  /**
   * The time of the one clock that the whole cluster shares, in milliseconds since the Unix epoch.
   * Absent where there is no clock but that of the machine.
   * @throws ProtocolError `unavailable`
   */
  time?(): Promise<number>;
  /**
   * Gives the lease back, which removes all numbers of this node. Never rejects: a lease that
   * cannot be given back ends by itself.
   */
  close(): Promise<void>;
}
