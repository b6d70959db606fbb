import { type HubOptions, parseSlowConsumerRules } from '@leque/core';
import type { Random } from '@leque/testkit';

export const PROJECTS = ['P', 'C'];
export const USER = 'u';
export const LOGS = 'logs';
export const CHANNELS = ['project:P', 'project:C', 'user:u', LOGS];

export const FAULTS = [
  'cut',
  'freeze',
  'restart',
  'lose',
  'forget',
  'kill',
  'slow',
  'repeat',
  'drop',
] as const;
export type Fault = (typeof FAULTS)[number];

const RULES = 'logs drop-oldest; user:* drop-oldest; project:C conflate tick/key';

/** What a run is like. */
export interface Profile {
  /** Until everything is healed. */
  readonly steps: number;
  /** Publications that Redis keeps of a channel, and gives at a time. */
  readonly history: number;
  readonly page: number;
  /** Where something happens; the fewer there are, the more meets. */
  readonly channels: readonly string[];
  /** What may happen beside what clients and publishers do. */
  readonly faults: readonly Fault[];
  readonly hub: HubOptions;
  /** Nothing happens by which anything could be missed: nobody may be told that it was. */
  readonly isGentle: boolean;
}

export function chooseProfile(random: Random): Profile {
  const isGentle = random.chance(0.2);
  const hasRules = !isGentle && random.chance(0.3);
  // With rules there is room for an event beside what makes a client a slow one.
  const smallBytes = hasRules ? 900 : 600;
  return {
    steps: random.pick([15, 40, 100]),
    history: isGentle ? 1000 : random.pick([3, 8, 100]),
    page: random.pick([1, 2, 1000]),
    channels: random.pick([CHANNELS, ...CHANNELS.map((channel) => [channel])]),
    faults: isGentle
      ? ['cut', 'freeze', 'repeat', 'drop']
      : [random.pick(FAULTS), ...random.subset(FAULTS)],
    isGentle,
    hub: {
      outboxMaxBytes: isGentle ? 30_000 : random.pick([smallBytes, 2 * smallBytes, 30_000]),
      fanoutWindowMs: random.pick([0, 5]),
      unsubscribeGraceMs: random.pick([20, 300]),
      maxSubscriptions: 10,
      maxRecovered: 1000,
      slowConsumerRules: parseSlowConsumerRules(hasRules ? RULES : ''),
    },
  };
}
