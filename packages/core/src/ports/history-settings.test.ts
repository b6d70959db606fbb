import type { Static } from 'typebox';
import { Value } from 'typebox/value';
import { expect, test } from 'vitest';
import { HistorySettings, historyOptions } from './history-settings.ts';

test('the defaults of the history settings are those of the contract', () => {
  expect(
    historyOptions(Value.Default(HistorySettings, {}) as Static<typeof HistorySettings>),
  ).toEqual({
    history: {
      project: { size: 1000, ttlMs: 300_000 },
      user: { size: 200, ttlMs: 300_000 },
      all: { size: 200, ttlMs: 300_000 },
    },
    idempotencyTtlMs: 300_000,
    firehose: true,
  });
});
