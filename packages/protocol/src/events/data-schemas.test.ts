import fc from 'fast-check';
import { expect, test } from 'vitest';
import { accepted, problems, RULES } from '../../test/support/parsed-event.ts';
import type { SchemaPolicy } from './data-schemas.ts';
import { type EventRules, tryParseEvent } from './event.ts';
import { EVENT_DATA } from './event-types.ts';

const WARN: EventRules = { ...RULES, schemas: 'warn' };
const OFF: EventRules = { ...RULES, schemas: 'off' };

const misfits = [
  { type: 'notification', data: { a: 1 }, user_id: 'u' },
  { type: 'task_updated', data: { task_id: 't', progress: 'half' }, project_id: 'P' },
  { type: 'job_progress', data: {}, project_id: 'P' },
  { type: 'task.created', data: { id: 7 }, user_id: 'u' },
  { type: 'error', data: { text: 'm', code: ['x'] }, project_id: 'P' },
  { type: 'chat_message', data: { story_id: null }, project_id: 'P' },
  { type: 'log_message', data: { level: 'fatal' }, project_id: 'P' },
  { type: 'notification', data: { title: 't', message: 'm', user_id: null }, project_id: 'P' },
];

test.each(misfits)('[EV3] %j is refused, stored with warnings, or stored without them', (event) => {
  const refusals = problems(event);
  const { warnings, ...warned } = accepted(event, WARN);
  expect(warnings?.map(({ field, message }) => `${field}: ${message}`)).toEqual(refusals);
  const silent = accepted(event, OFF);
  expect(silent.warnings).toBeUndefined();
  expect(silent.sent.data).toEqual(warned.sent.data);
  expect(silent.sent.data).toMatchObject(event.data);
});

test.each([
  [
    { type: 'notification', data: { user_id: { id: 1 } }, project_id: 'P' },
    'data.user_id: must be a text of 1 to 256 bytes in UTF-8 without control characters, or a whole number',
  ],
  [{ type: 'story_created', data: {} }, 'data.project_id: is required'],
  [{ type: 'task.created', data: {} }, 'data.userId: is required'],
  [
    { type: 'log_message', data: { level: 'fatal', message: '' } },
    'data.level: must be one of debug, info, warning, error, critical',
  ],
  [
    { type: 'error', data: { message: 'm', code: 'token_expired' }, project_id: 'P' },
    'data.code: is reserved for errors of the server',
  ],
])('[EV3.4] %j is refused under every policy, because clients would miss it', (event, problem) => {
  for (const rules of [RULES, WARN, OFF]) expect(problems(event, rules)).toContain(problem);
});

test('[EV3] the data of an event that fits has no warnings, and that of unknown types neither', () => {
  expect(accepted({ type: 'heartbeat', data: { monitorID: 1 } }, WARN).warnings).toBeUndefined();
  const notice = { type: 'notification', data: { title: 't', message: 'm' }, user_id: 'u' };
  expect(accepted(notice, WARN).warnings).toBeUndefined();
});

test('[EV3] [RT] no policy changes what is stored of an event that fits, or where it goes', () => {
  const events = fc.record(
    {
      type: fc.constantFrom('tick', ...Object.keys(EVENT_DATA)),
      data: fc.dictionary(
        fc.constantFrom('userId', 'user_id', 'project_id', 'title', 'level', 'code', 'story_id'),
        fc.oneof(fc.constantFrom('a', 'b', 'info'), fc.integer(), fc.jsonValue({ maxDepth: 1 })),
      ),
      user_id: fc.constantFrom('a', 'b'),
      project_id: fc.constantFrom('a', 'b'),
      message_id: fc.constant('m'),
      timestamp: fc.constant('2026-01-02T03:04:05Z'),
    },
    { requiredKeys: ['type', 'data', 'message_id', 'timestamp'], noNullPrototype: true },
  );
  const policies: readonly SchemaPolicy[] = ['strict', 'warn', 'off'];
  fc.assert(
    fc.property(events, (event) => {
      const [strict, warn, off] = policies.map((schemas) =>
        tryParseEvent(event, { ...RULES, schemas }),
      );
      if (strict?.ok) expect([warn, off]).toEqual([strict, strict]);
      expect(warn?.ok).toBe(off?.ok);
      if (warn?.ok && off?.ok)
        expect({ ...off.event, warnings: warn.event.warnings }).toEqual(warn.event);
    }),
    { numRuns: 2_000 },
  );
});
