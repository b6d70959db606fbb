import type { Static } from 'typebox';
import { Value } from 'typebox/value';
import { expect, test } from 'vitest';
import {
  HistorySettings,
  historyLimitOf,
  historyOptions,
  historyRule,
} from './history-settings.ts';

const settingsWith = (variables: object) =>
  Value.Default(HistorySettings, { ...variables }) as Static<typeof HistorySettings>;

test('the defaults of the history settings are those of the contract', () => {
  expect(historyOptions(settingsWith({}))).toMatchObject({
    history: {
      project: { size: 1000, ttlMs: 300_000 },
      user: { size: 200, ttlMs: 300_000 },
      all: { size: 200, ttlMs: 300_000 },
    },
    idempotencyTtlMs: 300_000,
    firehose: true,
  });
});

test('HISTORY_RULES change the limits of some channels, and leave what they do not say', () => {
  const rules =
    'project:stream:* size=5000 ttl=600; project:stream:9 ttl=60; user:* size=7; all size=1';
  const options = historyOptions(settingsWith({ HISTORY_RULES: rules }));
  const limitOf = (channel: string) => historyLimitOf(options, channel);
  expect(limitOf('project:stream:1')).toEqual({ size: 5000, ttlMs: 600_000 });
  expect(limitOf('project:stream:9')).toEqual({ size: 1000, ttlMs: 60_000 });
  expect(limitOf('project:P')).toEqual({ size: 1000, ttlMs: 300_000 });
  expect(limitOf('user:u')).toEqual({ size: 7, ttlMs: 300_000 });
  expect(limitOf('all')).toEqual({ size: 1, ttlMs: 300_000 });
  expect(limitOf('logs')).toBeUndefined();
});

test.each([
  'project:stream:*',
  'project:stream:* size=0',
  'project:stream:* size=1000001',
  'project:stream:* ttl=2592001',
  'project:stream:* size=1 size=2',
  'project:stream:* size=1 colour=2',
  'project:stream:* size=1.5',
  'project:stream:* 5000',
  'logs size=5',
  'firehose ttl=5',
  'stream:* size=5',
])('HISTORY_RULES refuse "%s", and quote it', (rule) => {
  expect(historyRule({ HISTORY_RULES: `all size=1;${rule}` })).toEqual([
    expect.stringContaining(`HISTORY_RULES "${rule}" is not a rule; write CHANNEL size=NUMBER`),
  ]);
});
