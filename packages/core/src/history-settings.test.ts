import { expect, test } from 'vitest';
import { readConfig } from './config.ts';
import { HistorySettings, historyLimits } from './history-settings.ts';

test('the defaults are those of the contract', () => {
  expect(historyLimits(readConfig(HistorySettings, {}))).toEqual({
    history: {
      project: { size: 1000, ttlMs: 300_000 },
      user: { size: 200, ttlMs: 300_000 },
      all: { size: 200, ttlMs: 300_000 },
    },
    idempotencyTtlMs: 300_000,
    firehose: true,
  });
});
