import { ALL_USERS, CONNECTIONS } from '../connection/state-keys.ts';

/** One count of this node, as Redis should have it. */
export interface NodeCount {
  readonly hash: string;
  readonly field: string;
  /** With 0 the field is deleted. */
  readonly count: number;
}

/** All counts of this node, and which of them Redis does not have yet. */
export class NodeCounts {
  readonly #counts = new Map<string, Map<string, number>>();
  readonly #pending = new Map<string, Set<string>>();

  set(hash: string, field: string, count: number): void {
    const counts = entry(this.#counts, hash, () => new Map<string, number>());
    if ((counts.get(field) ?? 0) === count) return;
    if (count > 0) counts.set(field, count);
    else counts.delete(field);
    this.#markPending(hash, field);
  }

  /** The current counts of one hash, by field. */
  of(hash: string): ReadonlyMap<string, number> {
    return this.#counts.get(hash) ?? new Map();
  }

  get hasPending(): boolean {
    return this.#pending.size > 0;
  }

  /** The hashes that are not empty. */
  get hashes(): string[] {
    return [...this.#counts].flatMap(([hash, counts]) => (counts.size > 0 ? [hash] : []));
  }

  get users(): string[] {
    const fields = [...(this.#counts.get(CONNECTIONS)?.keys() ?? [])];
    return fields.filter((field) => field !== ALL_USERS);
  }

  /** Takes all pending counts; the caller gives back those that it cannot write. */
  take(): NodeCount[] {
    const pending = [...this.#pending].flatMap(([hash, fields]) =>
      [...fields].map((field) => ({ hash, field, count: this.#counts.get(hash)?.get(field) ?? 0 })),
    );
    this.#pending.clear();
    return pending;
  }

  giveBack(counts: readonly NodeCount[]): void {
    for (const { hash, field } of counts) this.#markPending(hash, field);
  }

  /** Marks everything pending, because Redis has lost what it had. */
  markAllPending(): void {
    for (const [hash, counts] of this.#counts) {
      for (const field of counts.keys()) this.#markPending(hash, field);
    }
  }

  #markPending(hash: string, field: string): void {
    entry(this.#pending, hash, () => new Set<string>()).add(field);
  }
}

function entry<V>(map: Map<string, V>, key: string, create: () => V): V {
  const found = map.get(key);
  if (found !== undefined) return found;
  const created = create();
  map.set(key, created);
  return created;
}
