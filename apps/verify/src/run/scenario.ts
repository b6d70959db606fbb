import type { LoadBalancer } from '../target/load-balancer.ts';
import type { System, SystemOptions } from '../target/system.ts';
import type { RedisKind } from '../target/system-redis.ts';
import type { Sizes } from './plan.ts';
import type { ScenarioContext } from './scenario-context.ts';

/** A fault under load, and what the system must withstand. */
export interface Scenario {
  readonly name: string;
  /** A description in one sentence. */
  readonly about: string;
  /**
   * What it breaks: parts of a system that verify has started, or only the connections of its own
   * clients, which is possible with any system.
   */
  readonly breaks: 'system' | 'links' | 'nothing';
  /**
   * Which channels may be resynced: none when Redis keeps everything, some when it has lost a part,
   * all when it has lost everything.
   */
  readonly resyncs: 'never' | 'some' | 'all';
  /**
   * `all` where nothing between publishers and clients breaks: live-only events must all arrive. Elsewhere
   * they may get lost, and never come twice or on another side of a stored event.
   */
  readonly live?: 'all';
  /** Longest allowed pause of an undisturbed client, in milliseconds; undefined for no limit. */
  readonly maxPauseMs?: number;
  /** Overrides of the standard sizes. */
  readonly sizes?: Partial<Sizes>;
  readonly system?: Partial<SystemOptions>;
  /** The kind of Redis that it needs; undefined for any. */
  readonly redis?: RedisKind;
  /** Why it cannot run on this machine; undefined when it can. */
  readonly missing?: () => string | undefined;
  /** Called when the system is up, before clients connect. */
  readonly before?: (system: System) => Promise<void>;
  /** Starts a load balancer for the gateways; clients connect to them directly without it. */
  readonly loadBalancer?: (system: System) => Promise<LoadBalancer>;
  /** Called under load, once every client has received an event of each of its channels. */
  readonly run: (context: ScenarioContext) => Promise<void>;
  /** Called after the audit, when all clients are closed. */
  readonly after?: (context: ScenarioContext) => Promise<void>;
}
