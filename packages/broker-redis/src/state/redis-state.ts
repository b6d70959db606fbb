import {
  type Cancel,
  type Clock,
  type ClusterState,
  type ClusterStateSink,
  every,
  type Telemetry,
  type Totals,
  withDeadline,
} from '@leque/core';
import { type Stats, tryParseChannel } from '@leque/protocol';
import { isReply, unavailable } from '../connection/redis-errors.ts';
import { ALL_USERS, CONNECTIONS, StateKeys, subscribersHash } from '../connection/state-keys.ts';
import { chunksOf } from '../lib/chunks-of.ts';
import { singleFlight } from '../lib/single-flight.ts';
import { waitForAll } from '../lib/wait-for-all.ts';
import type { RedisLink } from '../link/redis-link.ts';
import { type NodeCount, NodeCounts } from './node-counts.ts';
import { NodeLease } from './node-lease.ts';
import { RunningTotals } from './running-totals.ts';
import { SummedCounts } from './summed-counts.ts';
import { UserWatch } from './user-watch.ts';

/** Each renewal also shows which nodes are gone, so it decides how soon that is noticed. */
const RENEWALS_PER_LEASE = 8;
const FLUSH_MS = 100;
const RETRY_MS = 500;
const COUNTS_AT_ONCE = 1000;
const STATS_KEPT_MS = 200;
const CLOSE_TIMEOUT_MS = 1500;

export interface RedisStateDeps {
  readonly link: RedisLink;
  readonly prefix: string;
  readonly nodeId: string;
  /** How long this node counts after its last renewal. */
  readonly leaseMs: number;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
}

/** Keeps counts in Redis: each node states its own, under its lease (CNT). */
export class RedisState implements ClusterState {
  readonly #deps: RedisStateDeps;
  readonly #keys: StateKeys;
  readonly #counts: SummedCounts;
  readonly #totals: RunningTotals;
  readonly #own = new NodeCounts();
  readonly #lease: NodeLease;
  readonly #stats: () => Promise<Stats>;
  #watch: UserWatch | undefined;
  #stopRenewing: Cancel | undefined;
  #cancelFlush: Cancel | undefined;
  #renewing = false;

  constructor(deps: RedisStateDeps) {
    const { link, clock } = deps;
    const keys = new StateKeys(deps.prefix);
    this.#deps = deps;
    this.#keys = keys;
    this.#totals = new RunningTotals(link, keys.totals, deps);
    this.#lease = new NodeLease({ ...deps, key: keys.nodes });
    this.#counts = new SummedCounts({ link, keys, own: this.#own, lease: this.#lease });
    this.#stats = singleFlight(() => this.#counts.stats(), STATS_KEPT_MS, clock);
  }

  async join(sink: ClusterStateSink): Promise<void> {
    const { link, leaseMs, telemetry, clock } = this.#deps;
    this.#watch = new UserWatch({
      counts: this.#counts,
      subscriptions: link.subscriptions,
      keys: this.#keys,
      telemetry,
      clock,
      sink,
    });
    await link.receive();
    const renew = () => void this.#renew();
    const stops = [link.onConnected(renew), every(clock, leaseMs / RENEWALS_PER_LEASE, renew)];
    this.#stopRenewing = () => {
      for (const stop of stops) stop();
    };
    await this.#renew();
    this.#flushAfter(0);
  }

  setSubscribers(channel: string, sessions: number): void {
    const kind = tryParseChannel(channel)?.kind ?? channel;
    this.#set(subscribersHash(kind), channel, sessions);
  }

  setConnections(connections: number): void {
    this.#set(CONNECTIONS, ALL_USERS, connections);
  }

  setUserConnections(userId: string, connections: number): void {
    this.#set(CONNECTIONS, userId, connections);
  }

  /** Milliseconds since the lease was renewed; 0 before there is one. */
  get leaseAgeMs(): number {
    return this.#lease.ageMs;
  }

  addTotals(totals: Partial<Totals>): void {
    this.#totals.add(totals);
  }

  async subscribers(channels: readonly string[]): Promise<number[]> {
    return await orUnavailable(this.#counts.subscribers(channels));
  }

  async userConnections(userIds: readonly string[]): Promise<number[]> {
    return await orUnavailable(this.#counts.users(userIds));
  }

  async stats(): Promise<Stats> {
    return await orUnavailable(this.#stats());
  }

  async time(): Promise<number> {
    const { link } = this.#deps;
    const [seconds, microseconds] = await orUnavailable(
      link.run(this.#keys.nodes, (redis) => redis.time()),
    );
    return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
  }

  async close(): Promise<void> {
    const joined = this.#stopRenewing !== undefined;
    this.#stopRenewing?.();
    this.#stopRenewing = undefined;
    this.#cancelFlush?.();
    this.#watch?.close();
    const leaving = Promise.all([this.#totals.close(), joined && this.#leave()]);
    // When Redis is away, the lease runs out by itself.
    await withDeadline(leaving, CLOSE_TIMEOUT_MS, 'leaving').catch(() => {});
  }

  #set(hash: string, field: string, count: number): void {
    this.#own.set(hash, field, count);
    this.#flushAfter(FLUSH_MS);
  }

  async #renew(): Promise<void> {
    if (this.#renewing) return;
    this.#renewing = true;
    try {
      const { lapsed, othersGone } = await this.#lease.renew();
      if (othersGone) this.#watch?.readAll();
      const kept = await this.#renewHashes();
      if (!lapsed && kept) return;
      this.#own.markAllPending();
      this.#flushAfter(0);
    } catch (error) {
      this.#report('renew lease', error);
    } finally {
      this.#renewing = false;
    }
  }

  /** Returns false when Redis has lost some of the hashes. */
  async #renewHashes(): Promise<boolean> {
    const { link, leaseMs } = this.#deps;
    const keys = this.#own.hashes.map((hash) => this.#key(hash));
    const kept = await waitForAll(
      keys.map((key) => link.run(key, (redis) => redis.pexpire(key, leaseMs))),
    );
    return kept.every((each) => each === 1);
  }

  #flushAfter(delayMs: number): void {
    if (!this.#own.hasPending || this.#stopRenewing === undefined) return;
    this.#cancelFlush ??= this.#deps.clock.after(delayMs, () => void this.#flush());
  }

  async #flush(): Promise<void> {
    const chunks = [...chunksOf(this.#own.take(), COUNTS_AT_ONCE)];
    let retry = false;
    for (const chunk of chunks) {
      retry ||= !(await this.#write(chunk));
      if (retry) this.#own.giveBack(chunk);
      else this.#notifyWatch(chunk);
    }
    this.#cancelFlush = undefined;
    this.#flushAfter(retry ? RETRY_MS : FLUSH_MS);
  }

  async #write(counts: readonly NodeCount[]): Promise<boolean> {
    try {
      const byHash = Map.groupBy(counts, (each) => each.hash);
      await waitForAll([...byHash].map(([hash, ofHash]) => this.#writeHash(hash, ofHash)));
      await this.#signal(usersIn(counts));
      return true;
    } catch (error) {
      this.#report('write counts', error);
      return false;
    }
  }

  async #writeHash(hash: string, counts: readonly NodeCount[]): Promise<void> {
    const { link, leaseMs } = this.#deps;
    const key = this.#key(hash);
    const gone = counts.filter(isGone).map(({ field }) => field);
    const present = counts.filter((each) => !isGone(each));
    const pairs = present.flatMap(({ field, count }) => [field, count]);
    await waitForAll([
      ...(pairs.length > 0 ? [link.run(key, (redis) => redis.hset(key, ...pairs))] : []),
      ...(gone.length > 0 ? [link.run(key, (redis) => redis.hdel(key, ...gone))] : []),
      link.run(key, (redis) => redis.pexpire(key, leaseMs)),
    ]);
  }

  /** Signals that counts of these users have changed; they have to be stored before. */
  async #signal(userIds: readonly string[]): Promise<void> {
    const channels = userIds.map((userId) => this.#keys.userSignal(userId));
    await waitForAll(channels.map((channel) => this.#deps.link.signal(channel)));
  }

  #notifyWatch(counts: readonly NodeCount[]): void {
    for (const { hash, field, count } of counts) {
      if (hash !== CONNECTIONS || field === ALL_USERS) continue;
      if (count > 0) this.#watch?.stored(field);
      else this.#watch?.remove(field);
    }
  }

  /** Signals at once to other nodes that the users of this node have fewer connections. */
  async #leave(): Promise<void> {
    await this.#lease.giveBack();
    const keys = this.#own.hashes.map((hash) => this.#key(hash));
    await waitForAll(keys.map((key) => this.#deps.link.run(key, (redis) => redis.unlink(key))));
    await this.#signal(this.#own.users);
  }

  #key(hash: string): string {
    return this.#keys.counts(this.#lease.id, hash);
  }

  /** Reports refusals; the connection itself reports once that Redis is away. */
  #report(where: string, error: unknown): void {
    if (isReply(error)) this.#deps.telemetry.report({ type: 'failure', where, error });
  }
}

function isGone({ count }: NodeCount): boolean {
  return count === 0;
}

function usersIn(counts: readonly NodeCount[]): string[] {
  return counts.flatMap(({ hash, field }) =>
    hash === CONNECTIONS && field !== ALL_USERS ? [field] : [],
  );
}

async function orUnavailable<T>(reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    throw unavailable(error);
  }
}
