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
  'pause',
  'refuse',
] as const;
export type Fault = (typeof FAULTS)[number];

const RULES = 'logs drop-oldest; user:* drop-oldest; project:C conflate tick/key';

/** The properties of one run. */
export interface Profile {
  /** Steps until everything is healed. */
  readonly steps: number;
  /** Publications that Redis keeps of a channel; `page` is how many it answers at a time. */
  readonly history: number;
  readonly page: number;
  /** Whether Redis evicts keys. */
  readonly evicts: boolean;
  /** Channels in use; the fewer there are, the more collides. */
  readonly channels: readonly string[];
  /** Faults that may happen. */
  readonly faults: readonly Fault[];
  readonly hub: HubOptions;
  /** Whether no publication can be missed, so that no loss may be reported. */
  readonly isGentle: boolean;
}

export function chooseProfile(random: Random): Profile {
  const isGentle = random.chance(0.2);
  const hasRules = !isGentle && random.chance(0.3);
  // With rules, an event has to fit beside the bytes that make a client slow.
  const smallBytes = hasRules ? 900 : 600;
  return {
    steps: random.pick([15, 40, 100]),
    history: isGentle ? 1000 : random.pick([3, 8, 100]),
    page: random.pick([1, 2, 1000]),
    evicts: !isGentle && random.chance(0.3),
    channels: random.pick([CHANNELS, ...CHANNELS.map((channel) => [channel])]),
    faults: isGentle
      ? ['cut', 'freeze', 'repeat', 'drop', 'pause', 'refuse']
      : [random.pick(FAULTS), ...random.subset(FAULTS)],
    isGentle,
    hub: {
      outboxMaxBytes: isGentle ? 30_000 : random.pick([smallBytes, 2 * smallBytes, 30_000]),
      fanoutWindowMs: random.pick([0, 5]),
      unsubscribeGraceMs: random.pick([20, 300]),
      maxSubscriptions: 10,
      replayPage: { publications: random.pick([1, 3, 1000]), bytes: 262_144 },
      slowConsumerRules: parseSlowConsumerRules(hasRules ? RULES : ''),
    },
  };
}
