/** Where the cluster state is kept. Everything about one node lives in one slot of a Cluster. */
export class StateKeys {
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** Sorted set of lease ids, see functions/lease.lua. */
  get nodes(): string {
    return `${this.#prefix}{nodes}`;
  }

  /** Hash of the running totals of the cluster. */
  get totals(): string {
    return `${this.#prefix}{totals}`;
  }

  /** Hash of what one node states: `connections` by user, or `subscribers:KIND` by channel. */
  counts(leaseId: string, hash: string): string {
    return `${this.#prefix}{node:${leaseId}}:${hash}`;
  }

  /** Redis channel of a signal that the connections of a user have changed. */
  userSignal(userId: string): string {
    return `${this.#prefix}{user:${userId}}:connections`;
  }
}

export const CONNECTIONS = 'connections';
/** No user id looks like this. */
export const ALL_USERS = '*';

export function subscribersHash(kind: string): string {
  return `subscribers:${kind}`;
}
