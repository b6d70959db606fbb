import { type ParsedEvent, tryParseEvent } from '@leque/protocol';
import { Random, startRedis, type TestRedis, uniquePrefix } from '@leque/testkit';
import {
  EXACT_VALUES,
  HUGE_NUMBERS,
  NOT_UTF8,
  randomObject,
  TIMESTAMPS,
  upTo,
} from '@leque/testkit/fakes';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { command, foreignService } from '../support/foreign-service.ts';
import { startNode } from '../support/redis-node.ts';

const P = 'project:P';
const OWN = '"timestamp":"2026-01-02T03:04:05Z","message_id":"m"';
/**
 * Random events of the property below: `BYTES_RUNS=5000 BYTES_SEED=7` runs more of them, from another
 * seed.
 */
const { BYTES_RUNS = '100', BYTES_SEED = '1' } = process.env;
let redis: TestRedis;

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis[Symbol.asyncDispose]());

/** Checks an event for the channel as the HTTP interface does. */
function verdictOn(text: string): ParsedEvent {
  const parsed = JSON.parse(text);
  return tryParseEvent(
    { ...parsed, channel: P },
    { unaddressed: 'refuse', schemas: 'warn' },
    { text, parsed },
  );
}

/** A subscribed node, and a service that uses Redis itself. */
async function start() {
  const prefix = uniquePrefix();
  const node = await startNode({ url: redis.url, prefix });
  const service = foreignService(redis.url, prefix);
  await node.broker.subscribe(P);
  return {
    ...service,
    node,
    append: (json: string | Buffer) =>
      command(redis.url, 'FCALL', 'leque_append', '1', service.key(P), 'x', 'm', json, ''),
    dropped: () => node.telemetry.of('event_dropped').map(({ detail }) => detail),
    stored: async () => (await node.broker.history(P, undefined, upTo(100))).publications,
    [Symbol.asyncDispose]: () => node[Symbol.asyncDispose](),
  };
}

/** Each `#` is replaced by bytes. */
function withBytes(text: string, bytes: readonly number[]): Buffer {
  return Buffer.concat(
    text
      .split('#')
      .flatMap((part, index) => [...(index > 0 ? [Buffer.from(bytes)] : []), Buffer.from(part)]),
  );
}

describe.each(Object.entries(NOT_UTF8))('an event with %s', (_, bytes) => {
  test('[EV1.9] is refused by FCALL, wherever it has the bytes', async () => {
    await using all = await start();
    for (const text of [
      '{"type":"x","data":{"name":"a#b"}}',
      '{"type":"x","data":{"é#":1}}',
      '{"type":"x","data":{},"message_id":"€#"}',
      '{"type":"x","data":{}}#',
    ]) {
      const reply = await all.fcall(P, withBytes(text, bytes));
      expect(String(reply)).toBe('Error: ERR leque: an event must be UTF-8');
    }
    expect(await all.stored()).toEqual([]);
  });

  test('[EV1.9] is dropped when it comes by PUBLISH, and the next one is not', async () => {
    await using all = await start();
    await all.publish(P, withBytes('{"type":"x","data":{"name":"#"}}', bytes));
    await all.fcall(P, '{"type":"x","data":{"n":1}}');
    await expect.poll(() => all.node.sink.numbers(P)).toEqual([1]);
    expect(all.dropped()).toEqual(['not UTF-8']);
  });

  test('[GAP] [NP1.3] reaches no client by leque_append, and the next ones do', async () => {
    await using all = await start();
    await all.append('{"type":"x","data":{"n":1}}');
    await all.append(withBytes('{"type":"x","data":{"n":2,"name":"#"}}', bytes));
    await all.append('{"type":"x","data":{"n":3}}');
    await expect.poll(() => all.node.sink.offsets(P)).toEqual([1, 3]);
    expect(all.node.sink.resyncs(P)).toEqual([]);
    expect(all.dropped()).toEqual(['not UTF-8']);
  });
});

test('[EV1.9] every character of UTF-8 is accepted and stored as it came', async () => {
  await using all = await start();
  const edges = [0x80, 0x7ff, 0x800, 0xfff, 0x1000, 0xd7ff, 0xe000, 0xffff, 0x1_0000, 0xf_ffff];
  const name = [...edges, 0x10_0000, 0x10_ffff].map((code) => String.fromCodePoint(code)).join('');
  await all.fcall(P, `{"type":"x","data":{"${name}":"${name}"},${OWN}}`);
  expect((await all.stored())[0]?.json).toBe(
    `{"type":"x","data":{"${name}":"${name}"},${OWN},"project_id":"P"}`,
  );
});

const BROKEN = ['{"type":"t",,,"data":}', '{"a":1}}', '{"a":1', '', 'null', '[1]', '{"a":NaN}'];

describe.each(BROKEN)('the broken event %j', (json) => {
  test('[NP1.3] is left out of live publications and histories, and is counted', async () => {
    await using all = await start();
    const { node } = all;
    await all.append('{"type":"x","data":{"n":1}}');
    const [first] = await all.stored();
    await all.append(json);
    await all.append('{"type":"x","data":{"n":3}}');
    await expect.poll(() => node.sink.offsets(P)).toEqual([1, 3]);
    expect(node.sink.resyncs(P)).toEqual([]);
    const reader = await node.broker.pageAfter(P, first?.position ?? expect.fail(), upTo(10));
    const resumed = await node.broker.history(P, first?.position, upTo(10));
    for (const page of [reader, resumed]) {
      expect(page.publications.map(({ position }) => position?.offset)).toEqual([3]);
      expect(page.complete).toBe(true);
    }
    expect(all.dropped().length).toBeGreaterThanOrEqual(3);
  });
});

test('[LIVE] thousands of broken events in a row do not keep a reader from what follows', async () => {
  await using all = await start();
  const { node } = all;
  const start0 = await node.broker.subscribe(P);
  const one = ['x', 'm', '{broken', ''];
  const calls = Array.from({ length: 4 }, () => Array.from({ length: 300 }, () => one).flat());
  for (const args of calls) {
    await command(redis.url, 'FCALL', 'leque_append', '1', all.key(P), ...args);
  }
  await all.fcall(P, '{"type":"x","data":{"n":1}}');
  await expect.poll(() => node.sink.numbers(P)).toEqual([1]);
  // The oldest are trimmed, so that a reader begins after them.
  const after = { epoch: node.sink.publications(P)[0]?.position?.epoch ?? '', offset: 201 };
  expect(start0).toBeDefined();
  const page = await node.broker.pageAfter(P, after, upTo(10));
  expect(page.publications.map(({ position }) => position?.offset)).toEqual([1201]);
});

test.each(TIMESTAMPS)(
  '[EV1.8] the timestamp %j has one verdict on every way in',
  async (time, ok) => {
    await using all = await start();
    const text = `{"type":"x","data":{},"message_id":"m","timestamp":"${time}"}`;
    const parsed = verdictOn(text);
    const reply = await all.fcall(P, text);
    await all.publish(P, text);
    await all.fcall(P, '{"type":"x","data":{"n":9}}');
    await expect.poll(() => all.node.sink.numbers(P).at(-1)).toBe(9);
    const verdicts = [parsed.ok, !(reply instanceof Error), all.dropped().length === 0];
    expect(verdicts).toEqual([ok, ok, ok]);
  },
);

test.each(HUGE_NUMBERS)('[EV3.3] the number %s is refused with its place', async (number) => {
  await using all = await start();
  const text = `{"type":"x","data":{"a":[1,{"big":${number}}]}}`;
  const problem = 'data.a.1.big must be a number within the range of 64-bit floats';
  expect(String(await all.fcall(P, text))).toBe(`Error: ERR leque: ${problem}`);
  await all.publish(P, text);
  await expect.poll(all.dropped).toEqual([problem]);
});

test.each(['type', 'data', 'channel', 'message_id', 'user_id', 'unknown'])(
  '[EV1.7] the field %s is refused when it is given twice',
  async (name) => {
    await using all = await start();
    const value = name === 'data' ? '{}' : '"x"';
    const text = `{"type":"x","data":{"${name}":1,"${name}":2},"${name}":${value},"${name}":5}`;
    expect(String(await all.fcall(P, text))).toBe(
      `Error: ERR leque: ${name} is given more than once`,
    );
  },
);

test.each([
  ['type', '"type":"x","typ\\u0065":"x","data":{}'],
  ['data', '"type":"x","data":{"n":1},"d\\u0061ta":{}'],
  ['message_id', '"type":"x","data":{},"message_id":"a","message_i\\u0064":"b"'],
  ['user_id', '"type":"x","data":{},"user_id":"U","user_id":"U"'],
])('[EV1.7] the field %s given twice drops an event by PUBLISH: {%s}', async (name, members) => {
  await using all = await start();
  await all.publish(P, `{${members}}`);
  await expect.poll(all.dropped).toEqual([`${name} is given more than once`]);
});

test('[EV4.7] numbers and texts arrive as they were sent, live, from the history, and by PUBLISH', async () => {
  await using all = await start();
  const data = `{${EXACT_VALUES.map((text, n) => `"${n}" : ${text}`).join(', ')}}`;
  const text = `{"data":${data},"type":"x",${OWN}}`;
  const json = `{"type":"x","data":${data},${OWN},"project_id":"P"}`;
  await all.fcall(P, text);
  await all.publish(P, text);
  await expect
    .poll(() => all.node.sink.publications(P).map((each) => each.json))
    .toEqual([json, json]);
  expect((await all.stored()).map((each) => each.json)).toEqual([json]);
});

test(`[EV4.7] [NP1.2] random data has the same bytes on all paths (seed ${BYTES_SEED})`, async () => {
  await using all = await start();
  const random = new Random(Number(BYTES_SEED));
  const live = () => all.node.sink.publications(P).map(({ json }) => json);
  for (let run = 1; run <= Number(BYTES_RUNS); run += 1) {
    const text = `{"type":"x",${OWN},"data":${randomObject(random)}}`;
    const parsed = verdictOn(text);
    if (!parsed.ok) expect.fail(`${text}: ${JSON.stringify(parsed.problems)}`);
    expect([text, await all.fcall(P, text)]).toEqual([text, ['m', expect.any(String), run, 0]]);
    await all.publish(P, text);
    await expect.poll(live, { interval: 1 }).toHaveLength(2 * run);
    const { publications } = await all.node.broker.history(P, undefined, upTo(1));
    const { json } = parsed.event;
    expect([...live().slice(-2), publications[0]?.json]).toEqual([json, json, json]);
  }
});
