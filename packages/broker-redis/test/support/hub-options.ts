import type { HubOptions } from '@leque/core';

/** Options of a hub whose clients are never too slow. */
export const HUB_OPTIONS: HubOptions = {
  fanoutWindowMs: 5,
  slowConsumerRules: () => undefined,
  outboxMaxBytes: 8_000_000,
  unsubscribeGraceMs: 100,
  replayPage: { publications: 1000, bytes: 262_144 },
  maxSubscriptions: 100,
};
