import type { Totals } from '@leque/core';

/** The counts that one node states about itself. */
export interface NodeRecord {
  connections: number;
  readonly subscribers: Map<string, number>;
  readonly users: Map<string, number>;
  /** The connections of one of its users may have changed. */
  readonly userChanged: (userId: string) => void;
}

/** The nodes of one process, in place of Redis. */
export class MemoryCluster {
  readonly #nodes = new Set<NodeRecord>();
  readonly #totals = { connections: 0, messagesSent: 0, broadcasts: 0 };

  get totals(): Totals {
    return this.#totals;
  }

  get connections(): number {
    return this.#sum((node) => node.connections);
  }

  add(node: NodeRecord): void {
    this.#nodes.add(node);
  }

  remove(node: NodeRecord): void {
    this.#nodes.delete(node);
    for (const userId of node.users.keys()) this.announce(userId);
  }

  announce(userId: string): void {
    for (const node of this.#nodes) if (node.users.has(userId)) node.userChanged(userId);
  }

  addTotals({ connections = 0, messagesSent = 0, broadcasts = 0 }: Partial<Totals>): void {
    this.#totals.connections += connections;
    this.#totals.messagesSent += messagesSent;
    this.#totals.broadcasts += broadcasts;
  }

  subscribers(channel: string): number {
    return this.#sum((node) => node.subscribers.get(channel) ?? 0);
  }

  userConnections(userId: string): number {
    return this.#sum((node) => node.users.get(userId) ?? 0);
  }

  channels(): Set<string> {
    return new Set([...this.#nodes].flatMap((node) => [...node.subscribers.keys()]));
  }

  #sum(count: (node: NodeRecord) => number): number {
    let sum = 0;
    for (const node of this.#nodes) sum += count(node);
    return sum;
  }
}
