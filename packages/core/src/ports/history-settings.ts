import type { HistoryKind } from '@leque/protocol';
import { type Static, Type } from 'typebox';

const seconds = (fallback: number, description: string) =>
  Type.Integer({ default: fallback, minimum: 1, maximum: 30 * 24 * 3600, description });
const publications = (fallback: number, description: string) =>
  Type.Integer({ default: fallback, minimum: 1, maximum: 1_000_000, description });

/** Configures how much any broker keeps of each channel. */
export const HistorySettings = Type.Object({
  HISTORY_PROJECT_SIZE: publications(1000, 'publications kept for each project'),
  HISTORY_PROJECT_TTL: seconds(300, 'seconds for which they are kept after the newest one'),
  HISTORY_USER_SIZE: publications(200, 'publications kept for each user'),
  HISTORY_USER_TTL: seconds(300, 'seconds for which they are kept after the newest one'),
  HISTORY_ALL_SIZE: publications(200, 'publications kept for the channel `all`'),
  HISTORY_ALL_TTL: seconds(300, 'seconds for which they are kept after the newest one'),
  IDEMPOTENCY_TTL: seconds(300, 'seconds in which a repeated idempotency key stores nothing'),
  FIREHOSE: Type.Enum(['on', 'off'], {
    default: 'on',
    description: 'whether project publications are repeated for clients that may see all projects',
  }),
});
export type HistorySettings = Static<typeof HistorySettings>;

/** How many publications of a channel are kept, and for how long after the newest one. */
export interface HistoryLimit {
  readonly size: number;
  readonly ttlMs: number;
}

export interface HistoryOptions {
  readonly history: Readonly<Record<HistoryKind, HistoryLimit>>;
  readonly idempotencyTtlMs: number;
  /** Whether project publications are repeated for clients that may see all projects. */
  readonly firehose: boolean;
}

/** Converts the settings to the options of brokers, with times in milliseconds. */
export function historyOptions(settings: HistorySettings): HistoryOptions {
  const limit = (size: number, ttlSeconds: number) => ({ size, ttlMs: ttlSeconds * 1000 });
  return {
    history: {
      project: limit(settings.HISTORY_PROJECT_SIZE, settings.HISTORY_PROJECT_TTL),
      user: limit(settings.HISTORY_USER_SIZE, settings.HISTORY_USER_TTL),
      all: limit(settings.HISTORY_ALL_SIZE, settings.HISTORY_ALL_TTL),
    },
    idempotencyTtlMs: settings.IDEMPOTENCY_TTL * 1000,
    firehose: settings.FIREHOSE === 'on',
  };
}
