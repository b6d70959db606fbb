import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RULES } from '../../test/support/parsed-event.ts';
import { describeProblems } from '../wire/problems.ts';
import { type EventRules, type ParsedEvent, tryParseEvent } from './event.ts';
import { eventForEach, eventIn, hasLists, MAX_RECIPIENTS, tryParseLists } from './event-list.ts';
import { EVENT_DATA } from './event-types.ts';

const tick = { type: 'tick', data: { n: 1 } };

function refusalOf(event: object): string {
  const parsed = tryParseLists(event, RULES);
  return parsed.ok ? '' : describeProblems(parsed.problems);
}

test('[EV8] a list is what the same events one by one are', () => {
  const id = fc.oneof(
    fc.constantFrom('a', 'b', 'c', 'ä"\\|%', '*x', ' '),
    fc.integer({ min: 0, max: 3 }),
  );
  const ids = fc.uniqueArray(id, { minLength: 1, maxLength: 4, selector: String });
  const events = fc.record(
    {
      type: fc.constantFrom('tick', ...Object.keys(EVENT_DATA)),
      data: fc.dictionary(
        fc.constantFrom(
          'userId',
          'user_id',
          'project_id',
          'story_id',
          'title',
          'message',
          'to',
          'a',
        ),
        fc.oneof(id, fc.jsonValue({ maxDepth: 1 })),
      ),
      user_ids: ids,
      project_ids: ids,
      project_id: id,
      story_id: id,
      idempotency_key: fc.constant('k'),
      live: fc.boolean(),
    },
    { requiredKeys: ['type', 'data'], noNullPrototype: true },
  );
  const policies = fc.constantFrom('warn' as const, 'strict' as const, 'off' as const);
  let compared = 0;
  fc.assert(
    fc.property(events, policies, (event, schemas) => {
      const isContradiction = 'project_ids' in event && 'project_id' in event;
      if (isContradiction || !hasLists(event)) return;
      const rules = { ...RULES, schemas };
      const alone = oneByOne(event, rules);
      // A list that is refused as a whole has an event that is refused alone.
      const listed = asList(event, rules);
      if (listed === undefined) expect(alone.some(({ ok }) => !ok)).toBe(true);
      else expect(listed).toEqual(alone);
      compared += 1;
    }),
    { numRuns: 3_000 },
  );
  expect(compared).toBeGreaterThan(500);
});

const OWN = { message_id: 'm', timestamp: '2026-01-02T03:04:05Z' };
type Listed = Readonly<Record<string, unknown>> & {
  readonly user_ids?: readonly (string | number)[];
  readonly project_ids?: readonly (string | number)[];
};

function oneByOne({ user_ids, project_ids, ...event }: Listed, rules: EventRules): ParsedEvent[] {
  const ids = [
    ...(user_ids ?? []).map((user_id) => ({ user_id })),
    ...(project_ids ?? []).map((project_id) => ({ project_id })),
  ];
  return ids.map((each) => {
    const text = JSON.stringify({ ...event, ...OWN, ...each });
    return tryParseEvent(JSON.parse(text), rules, { text, parsed: JSON.parse(text) });
  });
}

/** The outcome for each recipient; undefined when the event is refused as a whole. */
function asList(event: Listed, rules: EventRules): ParsedEvent[] | undefined {
  const text = JSON.stringify({ ...event, ...OWN });
  const parsed = tryParseLists(JSON.parse(text), rules, { text, parsed: JSON.parse(text) });
  if (!parsed.ok) return undefined;
  return parsed.lists.flatMap(({ recipients, template, placeholder }) =>
    recipients.map(({ channel, problems }): ParsedEvent => {
      if (problems.length > 0) return { ok: false, problems };
      const made = eventIn(eventForEach({ template, placeholder }, [channel]), channel);
      const { warnings } = template;
      return { ok: true, event: warnings === undefined ? made : { ...made, warnings } };
    }),
  );
}

describe('lists that contradict themselves are refused by name', () => {
  test.each([
    [{ user_ids: [] }, 'user_ids must not have fewer than 1 items'],
    [{ user_ids: 'alice' }, 'user_ids must be array'],
    [{ user_ids: ['a', 'b\nc'] }, 'user_ids.1 must be a text of 1 to 256 bytes'],
    [{ project_ids: ['*'] }, 'project_ids.0 must be a text of 1 to 256 bytes'],
    [{ user_ids: ['a', 'b', 'a'] }, 'user_ids.2 is given more than once'],
    [{ user_ids: ['7', 7] }, 'user_ids.1 is given more than once'],
    [{ user_ids: ['a'], user_id: 'a' }, 'user_id must not be given beside user_ids'],
    [{ user_ids: ['a'], channel: 'all' }, 'channel must not be given beside user_ids'],
    [{ project_ids: ['a'], project_id: 'a' }, 'project_id must not be given beside project_ids'],
    [{ project_ids: ['a'], user_id: 'a' }, 'user_id must not be given beside project_ids'],
    [
      { user_ids: Array.from({ length: MAX_RECIPIENTS }, (_, n) => n), project_ids: ['P'] },
      'an event has at most 2000 recipients',
    ],
    [{ user_ids: Array.from({ length: MAX_RECIPIENTS + 1 }, (_, n) => n) }, 'user_ids must not'],
    [{ user_ids: ['a'], colour: 'red' }, 'colour is not a known field'],
    [{ user_ids: ['a'], type: 'resumed' }, 'type "resumed" is reserved'],
  ])('[EV8.1] %j: %s', (fields, problem) => {
    expect(refusalOf({ ...tick, ...fields })).toContain(problem);
  });

  test('[EV1.7] a list that is given twice is refused', () => {
    const text = '{"type":"x","data":{},"user_ids":["a"],"user_ids":["b"]}';
    const parsed = tryParseLists(JSON.parse(text), RULES, { text, parsed: JSON.parse(text) });
    expect(parsed).toEqual({
      ok: false,
      problems: [{ field: 'user_ids', message: 'is given more than once' }],
    });
  });
});

test('[EV8.1] null in a list means that it was left out', () => {
  expect(hasLists({ ...tick, user_ids: null })).toBe(false);
  expect(refusalOf({ ...tick, user_ids: ['a'], project_ids: null, channel: null })).toBe('');
});

test('[EV8.2] message id and time are the same for users and projects', () => {
  const parsed = tryParseLists({ ...tick, user_ids: ['a'], project_ids: ['P'] }, RULES);
  const [users, projects] = parsed.ok ? parsed.lists : [];
  expect(users?.template.messageId).toBe(projects?.template.messageId);
  const times = [users, projects].map((list) => JSON.parse(list?.template.json ?? '').timestamp);
  expect(times[0]).toBe(times[1]);
});
