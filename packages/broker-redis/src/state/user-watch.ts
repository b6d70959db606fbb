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

/** Changes that come within this time are read together. */
const GATHER_MS = 50;
const RETRY_MS = 1000;

/** Announces to this node how many connections its users have in the whole cluster. */
export class UserWatch {
  readonly #deps: UserWatchDeps;
  /** The users of this node, and what was announced of them last. */
  readonly #announced = new Map<string, number | undefined>();
  readonly #unread = new Set<string>();
  #cancelRead: Cancel | undefined;
  #closed = false;

  constructor(deps: UserWatchDeps) {
    this.#deps = deps;
  }

  /**
   * This node's own change has been stored: announce the sum, even one that is as before, as there may
   * be a connection that has heard nothing yet.
   */
  stored(userId: string): void {
    if (this.#closed) return;
    const isNew = !this.#announced.has(userId);
    this.#announced.set(userId, undefined);
    if (isNew) this.#subscribe(userId);
    this.#read(userId);
  }

  /** The user has no connections on this node any more. */
  remove(userId: string): void {
    if (!this.#announced.delete(userId)) return;
    this.#unread.delete(userId);
    this.#deps.subscriptions.remove(this.#deps.keys.userSignal(userId));
  }

  /** A node is gone, and nobody announces what it took along. */
  readAll(): void {
    for (const userId of this.#announced.keys()) this.#read(userId);
  }

  close(): void {
    this.#closed = true;
    this.#cancelRead?.();
    for (const userId of [...this.#announced.keys()]) this.remove(userId);
  }

  /** What changes before the subscription stands is announced to nobody here: so look then too. */
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

/** One of a node's users; a class, as there are many, and closures are larger. */
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
