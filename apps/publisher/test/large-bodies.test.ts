import { setImmediate } from 'node:timers/promises';
import { anonymous } from '@leque/core';
import { upTo } from '@leque/testkit/fakes';
import { expect, test, vi } from 'vitest';
import { publishBatch } from '../src/publishing/publish-batch.ts';
import type { Publishing } from '../src/publishing/publishing.ts';
import { bearer, notification, openPolicy, PublisherUnderTest } from './publisher-under-test.ts';

const limits = { ...openPolicy.limits, maxBatchBytes: 1_000_000 };
const policy = { ...openPolicy, limits };
const small = JSON.stringify(notification);

/** Items of 100,000 characters or more; with one more brace none of them would be JSON. */
const oversized = {
  'many fields': fields((index) => `"k${index}":1`),
  'sparse integer names': fields((index) => `"${index * 100_003}":1`),
  'nested lists': `{"type":"t","data":{"a":${'['.repeat(50_000)}${']'.repeat(50_000)}}}`,
  'one long text': `{"type":"t","data":{"a":"${'[{"'.replace('"', '\\"').repeat(30_000)}"}}`,
  'a list in a list': `[${Array(60_000).fill('1').join()}]`,
  numbers: '1'.repeat(100_000),
};

function fields(field: (index: number) => string): string {
  return `{"type":"t","data":{${Array.from({ length: 12_000 }, (_, index) => field(index)).join()}}}`;
}

const parsed = vi.spyOn(JSON, 'parse');

test.each(Object.entries(oversized))(
  '[LIVE] an event of %s in a list is refused unparsed, and its neighbours are stored',
  async (_, item) => {
    await using publisher = new PublisherUnderTest(policy);
    parsed.mockClear();
    const { status, json } = await publisher.post('/api/publish', `[${small},${item} , ${small}]`);
    expect(status).toBe(200);
    expect(json.results).toEqual([
      expect.objectContaining({ status: 'stored' }),
      {
        status: 'refused',
        problem: expect.objectContaining({ code: 'payload_too_large', status: 413 }),
      },
      expect.objectContaining({ status: 'stored' }),
    ]);
    const texts = parsed.mock.calls.map(([text]) => String(text));
    expect(texts.filter((text) => text.includes(item))).toEqual([]);
  },
);

test('[LIVE] a list of far too many items is refused before any of them is parsed', async () => {
  await using publisher = new PublisherUnderTest(policy);
  parsed.mockClear();
  const { status, json } = await publisher.post('/api/publish', `[${'1,'.repeat(400_000)}1]`);
  expect(status).toBe(400);
  expect(json.detail).toBe('a batch has 1 to 1000 events, this one has 400001');
  expect(parsed.mock.calls.filter(([text]) => String(text).length < 10)).toEqual([]);
});

test.each([
  ['an item that is no JSON', `[${small},{"type":}]`],
  ['an item that is no JSON, and one that is too large', `[{]},${oversized.numbers}]`],
  ['no end', `[${small}`],
  ['more after its end', `[${small}]]`],
  ['a comma too many', `[${small},]`],
])('[ACK] a list with %s is refused as a whole, and nothing is stored', async (_, body) => {
  await using publisher = new PublisherUnderTest(policy);
  const { status, json } = await publisher.post('/api/publish', body);
  expect({ status, code: json.code }).toEqual({ status: 400, code: 'invalid_json' });
  const page = await publisher.broker.history('project:PROJ-001', undefined, upTo(10));
  expect(page.publications).toEqual([]);
});

test('[LIVE] other requests get their turn while the events of a list are checked', async () => {
  let turns = 0;
  const seen: number[] = [];
  const stop = new AbortController();
  const counting = (async () => {
    for (; !stop.signal.aborted; turns += 1) await setImmediate();
  })();
  const checks = {
    checkAny() {
      const until = performance.now() + 5;
      while (performance.now() < until);
      seen.push(turns);
      throw new Error('refused');
    },
  };
  const texts = Array<string>(6).fill(small);
  const caller = { name: '', owner: '', grants: anonymous().grants };
  const request = {
    texts,
    check: { key: undefined, caller, unaddressed: 'all' },
    accept: () => {},
    storeWithinMs: 1_000,
    caller,
    traceparent: undefined,
    isTraceTrusted: false,
  } as const;
  const publishing = {} as Publishing;
  await publishBatch({ checks, publishing, telemetry: { report: () => {} } }, request);
  stop.abort();
  await counting;
  expect(new Set(seen).size).toBe(seen.length);
});

test('a body that is not UTF-8 is refused', async () => {
  await using publisher = new PublisherUnderTest(policy);
  for (const bytes of [[0xe9], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80]]) {
    const start = Buffer.from('{"type":"t","channel":"all","data":{"name":"');
    const body = Buffer.concat([start, Buffer.from(bytes), Buffer.from('"}}')]);
    const { statusCode, json } = await publisher.app.inject({
      method: 'POST',
      url: '/api/publish',
      headers: { 'content-type': 'application/json' },
      body,
    });
    expect([statusCode, json().code]).toEqual([400, 'invalid_json']);
  }
});

test('a body with a byte order mark is read', async () => {
  await using publisher = new PublisherUnderTest(policy);
  expect((await publisher.post('/api/publish', `\uFEFF${small}`)).status).toBe(200);
  expect((await publisher.post('/api/publish', `\uFEFF[${small}]`)).status).toBe(200);
});

test('[LIVE] a route that does not publish takes small bodies only', async () => {
  await using publisher = new PublisherUnderTest(policy);
  const body = { level: 'x'.repeat(70_000) };
  const admin = await bearer(['admin']);
  expect((await publisher.post('/api/log-level', body, admin)).status).toBe(413);
});
