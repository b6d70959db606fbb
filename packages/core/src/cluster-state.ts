import type { Stats } from '@leque/protocol';

/** Running totals of the cluster, kept over restarts. */
export interface Totals {
  readonly connections: number;
  readonly messagesSent: number;
  readonly broadcasts: number;
}

export interface ClusterStateListener {
  /** The connections of a user of this node may have changed somewhere in the cluster. */
  userConnectionsChanged(userId: string, connections: number): void;
}

/**
 * Node leases and counts. Each node states its own absolute numbers, which count only while its
 * lease lives; nothing is incremented that a crash could leave behind (CNT).
 */
export interface ClusterState {
  /** Takes a lease for this process and keeps it. A process that only asks need not join. */
  join(listener: ClusterStateListener): Promise<void>;
  /** This node's sessions in a channel. */
  setSubscribers(channel: string, sessions: number): void;
  /** This node's connections in all. */
  setConnections(connections: number): void;
  /** This node's connections of one user. */
  setUserConnections(userId: string, connections: number): void;
  /** Adds to the running totals, at the latest a second later. */
  addTotals(totals: Partial<Totals>): void;
  /** Sessions in these channels, in the whole cluster, in the order asked for. */
  subscribers(channels: readonly string[]): Promise<number[]>;
  /** Connections of these users, in the whole cluster, in the order asked for. */
  userConnections(userIds: readonly string[]): Promise<number[]>;
  stats(): Promise<Stats>;
  /** Gives the lease back, and with it everything that this node stated. */
  close(): Promise<void>;
}
