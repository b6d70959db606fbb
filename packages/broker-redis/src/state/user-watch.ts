import type { Cancel, Clock, ClusterStateSink, Telemetry } from '@leque/core';
import { isReply } from '../connection/redis-errors.ts';
import type { StateKeys } from '../connection/state-keys.ts';
import type { Subscriptions } from '../link/redis-link.ts';
import type { ChannelHandler } from '../link/redis-subscriber.ts';
import type { SummedCounts } from './summed-counts.ts';

export interface UserWatchDeps {
  readonly counts: SummedCounts;
  readonly subscriptions: Subscriptions;
  readonly keys: StateKeys;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  readonly sink: ClusterStateSink;
}

/** Changes that arrive within this time are read together. */
const GATHER_MS = 50;
const RETRY_MS = 1000;

/** Announces to this node how many connections its users have on all nodes. */
export class UserWatch {
  readonly #deps: UserWatchDeps;
  /** The users of this node, with the count that was announced last. */
  readonly #announced = new Map<string, number | undefined>();
  readonly #unread = new Set<string>();
  #cancelRead: Cancel | undefined;
  #closed = false;

  constructor(deps: UserWatchDeps) {
    this.#deps = deps;
  }

  /**
   * Announces the sum after a change of this node has been stored. It is announced even when it is
   * the same as before, because a new connection may not know it yet.
   */
  stored(userId: string): void {
    if (this.#closed) return;
    const isNew = !this.#announced.has(userId);
    this.#announced.set(userId, undefined);
    if (isNew) this.#subscribe(userId);
    this.#read(userId);
  }

  /** Forgets a user who has no connections on this node any more. */
  remove(userId: string): void {
    if (!this.#announced.delete(userId)) return;
    this.#unread.delete(userId);
    this.#deps.subscriptions.remove(this.#deps.keys.userSignal(userId));
  }

  /** Reads all counts again after a node has gone: it cannot signal its own end. */
  readAll(): void {
    for (const userId of this.#announced.keys()) this.#read(userId);
  }

  close(): void {
    this.#closed = true;
    this.#cancelRead?.();
    for (const userId of [...this.#announced.keys()]) this.remove(userId);
  }

  /** The signal also reads the count once it is subscribed: changes before that are not signalled. */
  #subscribe(userId: string): void {
    const signal = new UserSignal(userId, this.#changed);
    this.#deps.subscriptions.add(this.#deps.keys.userSignal(userId), signal);
  }

  readonly #changed = (userId: string): void => this.#read(userId);

  #read(userId: string, delayMs = GATHER_MS): void {
    if (this.#closed || !this.#announced.has(userId)) return;
    this.#unread.add(userId);
    this.#readAfter(delayMs);
  }

  #readAfter(delayMs: number): void {
    this.#cancelRead ??= this.#deps.clock.after(delayMs, () => void this.#readNow());
  }

  async #readNow(): Promise<void> {
    const userIds = [...this.#unread];
    this.#unread.clear();
    const counts = await this.#readCounts(userIds);
    this.#cancelRead = undefined;
    for (const [index, userId] of userIds.entries()) {
      if (counts === undefined) this.#read(userId, RETRY_MS);
      else this.#announce(userId, counts[index] ?? 0);
    }
    if (this.#unread.size > 0 && !this.#closed) this.#readAfter(GATHER_MS);
  }

  async #readCounts(userIds: readonly string[]): Promise<number[] | undefined> {
    try {
      return await this.#deps.counts.users(userIds);
    } catch (error) {
      if (isReply(error)) this.#deps.telemetry.report({ type: 'failure', where: 'counts', error });
      return undefined;
    }
  }

  #announce(userId: string, count: number): void {
    if (!this.#announced.has(userId) || this.#announced.get(userId) === count || this.#closed)
      return;
    this.#announced.set(userId, count);
    this.#deps.sink.userConnectionsChanged(userId, count);
  }
}

/** Handles the signal of one user. A node has many, and closures would be larger than objects. */
class UserSignal implements ChannelHandler {
  readonly #userId: string;
  readonly #changed: (userId: string) => void;

  constructor(userId: string, changed: (userId: string) => void) {
    this.#userId = userId;
    this.#changed = changed;
  }

  subscribed(): void {
    this.#changed(this.#userId);
  }

  message(): void {
    this.#changed(this.#userId);
  }
}
