import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { accepted, problems, RULES } from '../../test/support/parsed-event.ts';
import { encodeEnvelope } from '../wire/envelope.ts';
import { describeProblems } from '../wire/problems.ts';
import { tryParseEvent, withTraceparent } from './event.ts';
import { EVENT_FIELDS, STORED_FIELDS } from './event-fields.ts';

const tick = { type: 'tick', data: {} };

describe('routing', () => {
  test.each([
    [{}, 'all'],
    [{ project_id: 'P' }, 'project:P'],
    [{ user_id: 'U' }, 'user:U'],
    [{ user_id: 'U', project_id: 'P' }, 'user:U'],
    [{ story_id: 'S' }, 'all'],
    [{ channel: 'project:P', user_id: 'U', project_id: 'P' }, 'project:P'],
    [{ channel: 'logs' }, 'logs'],
    [{ type: 'log_message', data: { level: 'info', message: '' } }, 'logs'],
    [{ type: 'log_message', data: { level: 'info', message: '' }, project_id: 'P' }, 'project:P'],
  ])('[RT] %j goes to %s', (fields, channel) => {
    expect(accepted({ ...tick, ...fields }).channel).toBe(channel);
  });

  test.each(['firehose', 'nowhere', 'project:', 'project:*', 'user:', '', 'constructor'])(
    '[CH] nobody publishes to the channel %j',
    (channel) => {
      expect(problems({ ...tick, channel })).toEqual([
        'channel: must be all, logs, project:ID or user:ID',
      ]);
    },
  );
});

describe('the text of an event', () => {
  const parse = (text: string, added = {}) => {
    const parsed = JSON.parse(text);
    return tryParseEvent({ ...parsed, ...added }, RULES, { text, parsed });
  };
  const own = '"timestamp":"2026-01-02T03:04:05Z","message_id":"\\u006d"';

  test('[EV4.7] data and the message id are stored as they were sent', () => {
    const data = '{ "big":12345678901234567890, "one":1.0,"zero":-0,"e":1E5 ,"a":[ ]}';
    const parsed = parse(`{"data":${data},${own},"event_type":"tick","user_id":null}`);
    expect(parsed).toMatchObject({
      ok: true,
      event: { messageId: 'm', json: `{"type":"tick","data":${data},${own}}` },
    });
  });

  test('[EV4.6] ids that data requires are added to its text', () => {
    const parsed = parse(
      `{"type":"chat_message","data":{ "preview":"" },"project_id":"P","story_id":"S",${own}}`,
    );
    const data = '{"project_id":"P","story_id":"S", "preview":"" }';
    const ids = '"project_id":"P","story_id":"S"';
    expect(parsed).toMatchObject({
      event: { json: `{"type":"chat_message","data":${data},${own},${ids}}` },
    });
  });

  test.each([{ idempotency_key: 'k' }, { channel: 'all' }, { channel: 'all', user_id: 'u' }])(
    '[EV1.7] a field that is given twice is refused, though %j was added to the event',
    (added) => {
      const doubled = [
        '{"type":"x","data":{"n":1},"d\\u0061ta":{}}',
        '{"type":"x","data":{"n":1},"d\\u0061ta":{},"da\\u0074a":{}}',
        '{"type":"x","data":{"n":1},"data":{}}',
      ];
      for (const text of doubled) {
        const problems = expect.arrayContaining([
          { field: 'data', message: 'is given more than once' },
        ]);
        expect(parse(text, added)).toEqual({ ok: false, problems });
      }
    },
  );

  test('[EV1.7] a field that is given twice is refused by name', () => {
    const text =
      '{"type":"x","data":{"n":1},"type":"y","data":{},"user_id":"a","user\\u005fid":"b"}';
    expect(parse(text)).toEqual({
      ok: false,
      problems: ['type', 'data', 'user_id'].map((field) => ({
        field,
        message: 'is given more than once',
      })),
    });
  });

  test.each([
    ['{"a":[0,{"b":-1e999}]}', 'data.a.1.b must be a number within the range of 64-bit floats'],
    ['{"a":["\\ud83c"]}', 'data.a.0 must be well-formed text'],
    ['{"\\udf88":1}', 'data.\ufffd must be well-formed text'],
  ])('[EV3.3] the data %s is refused with its place', (data, problem) => {
    const parsed = parse(`{"type":"x","data":${data}}`);
    expect(parsed.ok ? '' : describeProblems(parsed.problems)).toBe(problem);
  });

  test.each(['{"a":"\\ud83c\\udf88"}', '{"a":"1e999","b":1e308,"c":"\\\\ud83c"}'])(
    '[EV3.3] the data %s is accepted',
    (data) => {
      expect(parse(`{"type":"x","data":${data}}`).ok).toBe(true);
    },
  );
});

describe('the fields of an event', () => {
  test('[EV4.1] what a publisher leaves out is filled in', () => {
    const { messageId, sent, idempotencyKey } = accepted(tick);
    expect(sent).toEqual({
      type: 'tick',
      data: {},
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      message_id: messageId,
    });
    expect(idempotencyKey).toBeUndefined();
  });

  test('[EV1.6] clients get what a publisher gives, except channel and idempotency key', () => {
    const { sent, messageId, idempotencyKey } = accepted({
      ...tick,
      project_id: 'P',
      user_id: 'U',
      story_id: 'S',
      channel: 'all',
      message_id: 'm-1',
      timestamp: '2025-01-15T10:30:00Z',
      idempotency_key: 'k',
    });
    expect(sent).toEqual({
      type: 'tick',
      data: {},
      timestamp: '2025-01-15T10:30:00Z',
      message_id: 'm-1',
      project_id: 'P',
      story_id: 'S',
      user_id: 'U',
    });
    expect({ messageId, idempotencyKey }).toEqual({ messageId: 'm-1', idempotencyKey: 'k' });
  });

  test('[EV1.1] the event_type of the earlier system works in place of type', () => {
    expect(accepted({ event_type: 'tick', data: {} }).type).toBe('tick');
    expect(accepted({ event_type: 'tick', type: 'tick', data: {} }).type).toBe('tick');
    expect(problems({ event_type: 'tock', type: 'tick', data: {} })).toEqual([
      'event_type: differs from type; give one of them',
    ]);
  });

  test.each([
    [null, ': must be object'],
    [7, ': must be object'],
    [[], ': must be object'],
    [{ data: {} }, 'type: is required'],
    [{ type: 'tick' }, 'data: is required'],
    [{ ...tick, data: null }, 'data: must be object'],
    [{ ...tick, data: [] }, 'data: must be object'],
    [{ ...tick, type: 7 }, 'type: must be string'],
    [
      { ...tick, project_id: 'a\nb' },
      'project_id: must be a text of 1 to 256 bytes in UTF-8 without control characters, or a whole number',
    ],
    [{ ...tick, projectid: 'P' }, 'projectid: is not a known field'],
    [
      { ...tick, timestamp: '2026-01-15T10:30:00' },
      'timestamp: must be a date and time with a zone as in RFC 3339, such as 2026-01-02T03:04:05Z',
    ],
    [{ ...tick, message_id: '' }, 'message_id: must not have fewer than 1 characters'],
  ])('[EV1] %j is refused: %s', (input, problem) => {
    expect(problems(input)).toEqual([problem]);
  });

  test.each(['a', 'task.archived', 'A:b_c-D.9', 'x'.repeat(64)])(
    '[EV2] the type %s is accepted',
    (type) => {
      expect(accepted({ type, data: { anything: [1] }, user_id: 'U' }).type).toBe(type);
    },
  );

  test.each(['', 'a b', 'ação', 'a/b', 'x'.repeat(65), 'a\n'])(
    '[EV2] the type %j is refused',
    (type) => {
      expect(problems({ type, data: {} })).toEqual([
        'type: must be 1 to 64 letters, digits and . _ - :',
      ]);
    },
  );

  test('[EV3.2] data that is nested too deeply for other readers is refused', () => {
    const nested = (levels: number): object => (levels === 0 ? {} : { deeper: nested(levels - 1) });
    expect(accepted({ type: 'tick', data: nested(99) }).type).toBe('tick');
    expect(problems({ type: 'tick', data: nested(100) })).toEqual([
      'data: must not be nested more than 100 levels deep',
    ]);
    const deep = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`);
    expect(problems({ type: 'tick', data: { deep } })).toHaveLength(1);
  });
});

test('[EV1] every stored field reaches clients, in the order of the table, and no other does', () => {
  const given = {
    ...{ event_type: 'x', channel: 'all', idempotency_key: 'k', message_id: 'm', data: {} },
    ...{ project_id: 'P', story_id: 'S', user_id: 'U', timestamp: '2026-01-02T03:04:05Z' },
    traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
  };
  // With an idempotency key there is no `live`, see live-event.test.ts.
  expect(Object.keys({ type: 'x', live: false, ...given }).sort()).toEqual(
    Object.keys(EVENT_FIELDS).sort(),
  );
  const { idempotency_key: _, ...live } = { ...given, live: true };
  expect(Object.keys(accepted(live).sent)).toEqual(STORED_FIELDS);
});

test('[NP2] any accepted event can be put into an envelope and read back', () => {
  const type = fc.stringMatching(/^[A-Za-z0-9._:-]{1,64}$/);
  const inputs = fc.record(
    { type, data: fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()) },
    { noNullPrototype: true },
  );
  const position = { epoch: 'e', offset: 1 };
  fc.assert(
    fc.property(inputs, (input) => {
      const parsed = tryParseEvent(input, RULES);
      if (!parsed.ok) return true;
      const { channel, json } = parsed.event;
      const { data } = JSON.parse(encodeEnvelope({ channel, position, json }));
      // `expect` looks into each value, which takes a hundred times as long.
      const isSame =
        JSON.stringify(data) === JSON.stringify(JSON.parse(JSON.stringify(input.data)));
      return isSame && !json.includes('\n');
    }),
    { numRuns: 1_000 },
  );
});

test('[EV1] any JSON is accepted or refused, and nothing throws', () => {
  const values = fc.oneof(
    fc.jsonValue(),
    fc.jsonValue().map((data) => ({ type: 'task.created', data })),
    fc.jsonValue().map((channel) => ({ ...tick, channel })),
    fc.jsonValue().map((type) => ({ type, data: {} })),
  );
  fc.assert(
    fc.property(values, (value) => {
      const parsed = tryParseEvent(value, RULES);
      expect(parsed.ok || parsed.problems.length > 0).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});

test('[EV1.4] no field passes unchecked, however many are unknown', () => {
  const unknown = Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`k${n}`, n]));
  for (const more of [{}, { type: ['connected'] }, { data: 'text' }, { timestamp: 'yesterday' }]) {
    const parsed = tryParseEvent({ type: 'x', data: {}, ...unknown, ...more }, RULES);
    expect(parsed.ok).toBe(false);
  }
});

test('[EV4] an id with a lone surrogate is refused, because two of them would become the same', () => {
  for (const field of ['message_id', 'idempotency_key']) {
    const parsed = tryParseEvent({ type: 'x', data: {}, [field]: 'k\ud800' }, RULES);
    expect(parsed).toMatchObject({ ok: false, problems: [{ field }] });
  }
});

test('[EV1] a trace context travels in the event, and a span can replace it', () => {
  const traceOf = (last: string) => `00-${'a'.repeat(32)}-${'b'.repeat(16)}-${last}`;
  const given = { type: 'x', data: { traceparent: 'theirs' }, traceparent: traceOf('01') };
  const parsed = tryParseEvent(given, RULES);
  const bare = tryParseEvent({ type: 'x', data: {} }, RULES);
  if (!parsed.ok || !bare.ok) throw new Error('both are right');
  expect(JSON.parse(parsed.event.json)).toMatchObject({ traceparent: traceOf('01') });
  for (const { event } of [parsed, bare]) {
    const traced = withTraceparent(event, traceOf('00'));
    expect(traced.traceparent).toBe(traceOf('00'));
    expect(JSON.parse(traced.json)).toEqual({
      ...JSON.parse(event.json),
      traceparent: traceOf('00'),
    });
  }
  for (const wrong of ['', '01', traceOf('0'), traceOf('01').toUpperCase(), `0${traceOf('01')}`]) {
    const refused = tryParseEvent({ ...given, traceparent: wrong }, RULES);
    expect(refused).toMatchObject({ ok: false, problems: [{ field: 'traceparent' }] });
  }
});
