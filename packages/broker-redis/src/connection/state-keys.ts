import { userChannel } from '@leque/protocol';

/** Names the keys of the cluster state. In a Redis Cluster all keys of one node share a slot. */
export class StateKeys {
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** The sorted set of lease ids, see functions/lease.lua. */
  get nodes(): string {
    return `${this.#prefix}{nodes}`;
  }

  /** The hash of the running totals of all nodes. */
  get totals(): string {
    return `${this.#prefix}{totals}`;
  }

  /** A hash of the counts of one node: `connections` by user, or `subscribers:KIND` by channel. */
  counts(leaseId: string, hash: string): string {
    return `${this.#prefix}{node:${leaseId}}:${hash}`;
  }

  /** The Redis channel of the signal that the connections of a user have changed. */
  userSignal(userId: string): string {
    return `${this.#prefix}{${userChannel(userId)}}:connections`;
  }
}

export const CONNECTIONS = 'connections';
/** The field of the sum of all connections; no user id looks like it. */
export const ALL_USERS = '*';

export function subscribersHash(kind: string): string {
  return `subscribers:${kind}`;
}
