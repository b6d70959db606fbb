import { EXACT_VALUES, HUGE_NUMBERS, NOT_UTF8, TIMESTAMPS } from '@leque/testkit/fakes';
import { describe, expect, test } from 'vitest';
import { PublisherUnderTest } from './publisher-under-test.ts';

const OWN = '"timestamp":"2026-01-02T03:04:05Z","message_id":"m"';

/** Publishes an event alone and in a list, and returns what is said about it. */
async function verdictsOn(
  publisher: PublisherUnderTest,
  text: string | Buffer,
  headers: Record<string, string> = {},
) {
  const list = Buffer.concat([Buffer.from('['), Buffer.from(text as string), Buffer.from(']')]);
  const alone = await publisher.post('/api/publish', text, headers);
  const listed = await publisher.post('/api/publish', list, headers);
  const [item] = listed.json.results ?? [{ problem: listed.json }];
  return [alone.status === 200 ? 'stored' : alone.json, item.problem ?? item.status];
}

test.each(Object.entries(NOT_UTF8))('[EV1.9] a body with %s is refused', async (_, bytes) => {
  await using publisher = new PublisherUnderTest();
  const text = Buffer.concat([
    Buffer.from('{"type":"x","data":{"name":"'),
    Buffer.from(bytes),
    Buffer.from('"}}'),
  ]);
  for (const verdict of await verdictsOn(publisher, text)) {
    expect(verdict).toMatchObject({ code: 'invalid_json', detail: 'the body is not UTF-8' });
  }
});

test.each(TIMESTAMPS)('[EV1.8] the timestamp %j is accepted: %s', async (time, ok) => {
  await using publisher = new PublisherUnderTest();
  const text = `{"type":"x","data":{},"project_id":"P","timestamp":"${time}"}`;
  const errors = [
    {
      field: 'timestamp',
      message: 'must be a date and time with a zone as in RFC 3339, such as 2026-01-02T03:04:05Z',
    },
  ];
  for (const verdict of await verdictsOn(publisher, text)) {
    if (ok) expect(verdict).toBe('stored');
    else expect(verdict).toMatchObject({ errors });
  }
});

test.each(HUGE_NUMBERS)('[EV3.3] the number %s is refused with its place', async (number) => {
  await using publisher = new PublisherUnderTest();
  const text = `{"type":"x","project_id":"P","data":{"a":[1,{"big":${number}}]}}`;
  const message = 'must be a number within the range of 64-bit floats';
  for (const verdict of await verdictsOn(publisher, text)) {
    expect(verdict).toMatchObject({ errors: [{ field: 'data.a.1.big', message }] });
  }
});

describe.each([
  ['no key', {}],
  ['a key in the header', { 'idempotency-key': 'k' }],
] as const)('with %s', (_, headers) => {
  test.each([
    ['project_id', '{"type":"x","data":{},"project_id":"P","project_id":"Q"}'],
    ['project_id', '{"type":"x","data":{},"project_id":"P","project\\u005fid":"Q"}'],
    ['message_id', '{"type":"x","data":{},"message_id":"a","message_i\\u0064":"b"}'],
    ['data', '{"type":"x","data":{"bad":"\\ud800"},"d\\u0061ta":{}}'],
    ['data', '{"type":"x","d\\u0061ta":{"n":1},"data":{}}'],
    ['data', '{"type":"x","data":{"n":1},"data":{},"user_id":null}'],
    [
      'data',
      '{"type":"error","channel":"all","data":{"message":"x","code":"4003"},"d\\u0061ta":{"message":"x"}}',
    ],
  ])('[EV1.7] the field %s that is given twice is refused by name: %s', async (field, text) => {
    await using publisher = new PublisherUnderTest();
    const errors = [{ field, message: 'is given more than once' }];
    const verdicts = await verdictsOn(publisher, text, headers);
    expect(verdicts).toMatchObject([{ errors }, { errors }]);
  });
});

test('[EV4.7] data is stored and read again as it was sent', async () => {
  await using publisher = new PublisherUnderTest();
  const data = `{ ${EXACT_VALUES.map((text, n) => `"${n}" : ${text}`).join(', ')}}`;
  const text = `{"data":${data},"project_id":"P","type":"x",${OWN}}`;
  expect(await verdictsOn(publisher, text)).toEqual(['stored', 'stored']);
  const history = await publisher.get('/api/channels/project%3AP/history');
  const event = `{"type":"x","data":${data},${OWN},"project_id":"P","channel":"project:P"`;
  expect(history.text.split(event)).toHaveLength(3);
  expect(history.json.publications).toHaveLength(2);
});
