import type { Stats } from '@leque/protocol';

/** Running totals of the cluster, kept over restarts. */
export interface Totals {
  readonly connections: number;
  readonly messagesSent: number;
  readonly broadcasts: number;
}

/** What the cluster state tells this node; must not throw. */
export interface ClusterStateSink {
  /** The connections of a user of this node may have changed somewhere in the cluster. */
  userConnectionsChanged(userId: string, connections: number): void;
}

/**
 * Node leases and counts. Each node states its own absolute numbers, which count only while its
 * lease lives; nothing is incremented that a crash could leave behind (CNT).
 *
 * Every call settles within a deadline. Those that ask reject with ProtocolError `unavailable` when
 * there is no answer. Those that state never fail: what cannot be stored now is stored later.
 */
export interface ClusterState {
  /**
   * Takes a lease for this process and keeps it. A process that only asks need not join. Never
   * rejects: a lease that cannot be taken now is taken as soon as it can.
   */
  join(sink: ClusterStateSink): Promise<void>;
  /** This node's sessions in a channel. */
  setSubscribers(channel: string, sessions: number): void;
  /** This node's connections in all. */
  setConnections(connections: number): void;
  /** This node's connections of one user. */
  setUserConnections(userId: string, connections: number): void;
  /**
   * Adds to the running totals, at the latest a second later; at most once, as what was surely not
   * added is tried again, and what may have been is not.
   */
  addTotals(totals: Partial<Totals>): void;
  /**
   * Sessions in these channels, in the whole cluster, in the order asked for.
   * @throws ProtocolError `unavailable`
   */
  subscribers(channels: readonly string[]): Promise<number[]>;
  /**
   * Connections of these users, in the whole cluster, in the order asked for.
   * @throws ProtocolError `unavailable`
   */
  userConnections(userIds: readonly string[]): Promise<number[]>;
  /**
   * May be a moment old.
   * @throws ProtocolError `unavailable`
   */
  stats(): Promise<Stats>;
  /**
   * Gives the lease back, and with it everything that this node stated. Never rejects: a lease that
   * cannot be given back ends by itself.
   */
  close(): Promise<void>;
}
