import type { Sizes } from './plan.ts';
import type { SystemOptions } from './system.ts';
import type { World } from './world.ts';

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
  /** Instead of the usual. */
  readonly sizes?: Partial<Sizes>;
  readonly system?: Partial<SystemOptions>;
  /** Called under load, when every client has seen something of each of its channels. */
  run(world: World): Promise<void>;
}
