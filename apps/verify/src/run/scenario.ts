import type { LoadBalancer } from '../target/load-balancer.ts';
import type { System, SystemOptions } from '../target/system.ts';
import type { RedisKind } from '../target/system-redis.ts';
import type { Sizes } from './plan.ts';
import type { ScenarioContext } from './scenario-context.ts';

/** Something that happens to a system under load, and what it has to stand. */
export interface Scenario {
  readonly name: string;
  /** In a sentence. */
  readonly about: string;
  /**
   * What it breaks: parts of a system of our own, or only the connections of clients, which can be
   * done to any system.
   */
  readonly breaks: 'system' | 'links' | 'nothing';
  /**
   * Whether servers may say that something is missing: never where Redis keeps everything; to all
   * where it has lost everything; else to those whom it concerns.
   */
  readonly resyncs: 'never' | 'some' | 'all';
  /** Of any client that nothing was done to, in milliseconds. */
  readonly maxPauseMs?: number;
  /** Instead of the usual. */
  readonly sizes?: Partial<Sizes>;
  readonly system?: Partial<SystemOptions>;
  /** Where it is possible; everywhere without it. */
  readonly redis?: RedisKind;
  /** Why it cannot be run on this machine; undefined when it can. */
  readonly missing?: () => string | undefined;
  /** Called when the system is up, before anybody connects. */
  readonly before?: (system: System) => Promise<void>;
  /** Something that stands between the clients and the gateways of the system. */
  readonly loadBalancer?: (system: System) => Promise<LoadBalancer>;
  /** Called under load, when every client has seen something of each of its channels. */
  readonly run: (context: ScenarioContext) => Promise<void>;
  /** Called when everything is audited, and all clients are gone. */
  readonly after?: (context: ScenarioContext) => Promise<void>;
}
