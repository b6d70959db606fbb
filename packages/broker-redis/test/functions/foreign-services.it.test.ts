import { startRedis, uniquePrefix } from '@leque/testkit';
import { upTo } from '@leque/testkit/fakes';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { command, foreignService, type Reply, redisCli } from '../support/foreign-service.ts';
import { startNode } from '../support/redis-node.ts';

let redis: Awaited<ReturnType<typeof startRedis>>;

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis[Symbol.asyncDispose]());

const STORY = {
  type: 'story_created',
  data: { story_id: 'S-1', title: 'A story', project_id: 'P' },
};
/** An event whose text has that many characters in `data`. */
const textOf = (length: number) => `{"type":"x","data":{"text":"${'x'.repeat(length)}"}}`;
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

describe('[RT.5] FCALL leque_publish', () => {
  test('[ACK] [EV4.1] [EV6.1] [EV6.2] stores, orders and delivers the event of a service that knows only Redis', async () => {
    const prefix = uniquePrefix();
    await using node = await startNode({ url: redis.url, prefix });
    const { fcall } = foreignService(redis.url, prefix);
    await node.broker.subscribe('project:P');
    const reply = (await fcall('project:P', JSON.stringify(STORY))) as Reply[];
    expect(reply).toEqual([expect.any(String), expect.stringMatching(/^[a-z0-9]{1,32}$/), 1, 0]);
    await expect.poll(() => node.sink.publications('project:P')).toHaveLength(1);
    const [publication] = node.sink.publications('project:P');
    expect(publication).toMatchObject({
      type: 'story_created',
      position: { epoch: reply[1], offset: 1 },
    });
    expect(publication?.event).toEqual({
      ...STORY,
      project_id: 'P',
      story_id: 'S-1',
      message_id: reply[0],
      timestamp: expect.stringMatching(RFC_3339),
    });
    const timestamp = Date.parse(String(publication?.event['timestamp']));
    expect(Math.abs(timestamp - Date.now())).toBeLessThan(60_000);
    const { publications } = await node.broker.history('project:P', undefined, upTo(10));
    expect(publications.map(({ json }) => json)).toEqual([publication?.json]);
  });

  test("works from Redis's own command line", async ({ skip }) => {
    const prefix = uniquePrefix();
    await using node = await startNode({ url: redis.url, prefix });
    const { key } = foreignService(redis.url, prefix);
    await node.broker.subscribe('user:42');
    const json = '{"event_type":"ring","data":{"n":7}}';
    const output = await redisCli(
      redis.url,
      'FCALL',
      'leque_publish',
      '1',
      key('user:42'),
      json,
      'k',
    );
    if (output === undefined) skip('redis-cli is not installed');
    await expect.poll(() => node.sink.numbers('user:42')).toEqual([7]);
    expect(node.sink.publications('user:42')[0]?.type).toBe('ring');
    const again = await redisCli(
      redis.url,
      'FCALL',
      'leque_publish',
      '1',
      key('user:42'),
      json,
      'k',
    );
    expect(again?.split('\n')).toEqual([...(output?.split('\n').slice(0, 3) ?? []), '1']);
  });

  test('[ACK] accepts an idempotency key as argument and as field', async () => {
    const prefix = uniquePrefix();
    await using node = await startNode({ url: redis.url, prefix });
    const { fcall } = foreignService(redis.url, prefix);
    const field = JSON.stringify({ ...STORY, idempotency_key: 'k1' });
    const [first, second] = [await fcall('project:P', field), await fcall('project:P', field)];
    expect(second).toEqual([...(first as Reply[]).slice(0, 3), 1]);
    expect(await fcall('project:P', JSON.stringify(STORY), 'k1')).toEqual(second);
    expect(await fcall('project:P', JSON.stringify(STORY), 'k2')).toMatchObject({ 2: 2, 3: 0 });
    expect((await node.broker.history('project:P', undefined, upTo(10))).publications).toHaveLength(
      2,
    );
  });

  test('[EV4.7] stores the text of data as it came, and the other fields in one order', async () => {
    const prefix = uniquePrefix();
    await using node = await startNode({ url: redis.url, prefix });
    const { fcall } = foreignService(redis.url, prefix);
    await node.broker.subscribe('all');
    const data =
      '{"empty":[],"none" : {},"big":12345678901234567890,\r\n"tiny":1e-7,"text":"\\u00e9 } \\" \\n 🎈"}';
    await fcall('all', ` {\n"event_type" : "odd",  "data":${data}} \n`);
    await expect.poll(() => node.sink.publications('all')).toHaveLength(1);
    const json = node.sink.publications('all')[0]?.json ?? '';
    const [, time, id] = /"timestamp":"(.*)","message_id":"(.*)"}$/.exec(json) ?? [];
    const end = `"timestamp":"${time}","message_id":"${id}"}`;
    expect(json).toBe(`{"type":"odd","data":${data},${end}`);
  });

  test('leaves a complete event and its ids as they are', async () => {
    const prefix = uniquePrefix();
    await using node = await startNode({ url: redis.url, prefix });
    const { fcall } = foreignService(redis.url, prefix);
    const ids = { project_id: 'P', story_id: 'S-1' };
    const own = { timestamp: '2026-01-02T03:04:05+01:00', message_id: 'my id', ...ids };
    const event = { ...STORY, ...own };
    expect(await fcall('project:P', JSON.stringify(event))).toMatchObject({ 0: 'my id' });
    const { publications } = await node.broker.history('project:P', undefined, upTo(1));
    expect(publications[0]?.json).toBe(JSON.stringify(event));
  });

  test('gives different ids to events of the same moment', async () => {
    const prefix = uniquePrefix();
    await using _ = await startNode({ url: redis.url, prefix });
    const { key } = foreignService(redis.url, prefix);
    const ids = await Promise.all(
      Array.from({ length: 200 }, () =>
        command(redis.url, 'FCALL', 'leque_publish', '1', key('logs'), '{"type":"x","data":{}}'),
      ),
    );
    expect(new Set(ids.map((reply) => (reply as Reply[])[0])).size).toBe(200);
  });

  const refused: [problem: string, json: string, channel?: string][] = [
    ['not JSON', '{"type":"x"'],
    ['not JSON', '{"type":"x","data":{"a":1.}}'],
    ['not JSON', '{"type":"x","data":{"a":-.5}}'],
    ['not JSON', '{"type":"x","data":{"a":NaN}}'],
    ['not JSON', '{"type":"x","data":{"a":01}}'],
    ['not JSON', '{"type":"x","data":{"a":"line\nbreak"}}'],
    ['not JSON', "{'type':'x'}"],
    ['not JSON', '{"type":"x"} {}'],
    ['not JSON', '{"type":"x","data":{}}\0 junk }'],
    ['not JSON', '{"type":"x","data":{}}\0'],
    ['not JSON', '{"type":"x","data":{"a":"\0"}}'],
    ['not JSON', ''],
    ['an event is a JSON object', '[{"type":"x"}]'],
    ['an event is a JSON object', '"x"'],
    ['type is required', '{}'],
    ['type is required', '{"data":{}}'],
    ['type must be 1 to 64 letters', '{"type":"with space"}'],
    ['type must be 1 to 64 letters', `{"type":"${'x'.repeat(65)}"}`],
    ['type must be 1 to 64 letters', '{"type":7}'],
    ['event_type differs from type', '{"type":"x","event_type":"y"}'],
    ['type "resumed" is reserved: a message of the server', '{"type":"resumed"}'],
    ['type "connections.count" is reserved', '{"event_type":"connections.count"}'],
    ['data must be an object', '{"type":"x","data":[]}'],
    ['data must be an object', '{"type":"x","data":[ ],"story_id":"S"}'],
    ['data must be an object', '{"type":"x","data":[1]}'],
    ['written without escapes', '{"type":"x","d\\u0061ta":[]}'],
    ['written without escapes', '{"type":"x","data":{},"ch\\u0061nnel":"project:P"}'],
    ['data must be an object', '{"type":"x","data":"text"}'],
    ['data must be an object', '{"type":"x","data":null}'],
    ['data.story_id is required', '{"type":"story_deleted","data":{}}'],
    ['data is required', '{"type":"story_deleted"}'],
    ['data.story_id must be a text of 1 to 256', '{"type":"story_deleted","data":{"story_id":""}}'],
    [
      'data.story_id must be a text of 1 to 256',
      '{"type":"story_deleted","data":{"story_id":7.5}}',
    ],
    [
      'data.progress must be at most 100',
      '{"type":"job_progress","data":{"job_id":"J","progress":101}}',
    ],
    [
      'data.level must be one of debug, info',
      '{"type":"log_message","data":{"level":"x","message":""}}',
    ],
    ['data.code must be a text or a number', '{"type":"error","data":{"message":"m","code":[]}}'],
    ['project_id must be a text of 1 to 256 bytes', '{"type":"x","project_id":"a\\nb"}'],
    [
      'timestamp must be a date and time with a zone as in RFC 3339, such as 2026-01-02T03:04:05Z',
      '{"type":"x","timestamp":"yesterday"}',
    ],
    ['live must be a boolean', '{"type":"x","data":{},"live":"true"}'],
    [
      'idempotency_key must not be given with live',
      '{"type":"x","data":{},"live":true,"idempotency_key":"k"}',
    ],
    ['message_id must not be empty', '{"type":"x","message_id":""}'],
    ['message_id must not have more than 128', `{"type":"x","message_id":"${'x'.repeat(129)}"}`],
    ['colour is not a known field', '{"type":"x","colour":"red"}'],
    ['type "constructor" is reserved', '{"type":"constructor","data":{}}'],
    ['type "__proto__" is reserved', '{"type":"__proto__","data":{}}'],
    ['type "reconnect" is reserved', '{"type":"reconnect","data":{}}'],
    ['data.code is reserved', '{"type":"error","data":{"message":"m","code":"token_expired"}}'],
    ['data.code is reserved', '{"type":"error","data":{"message":"m","code":4001}}'],
    ['project_id differs from the id in channel', '{"type":"x","data":{},"project_id":"Q"}'],
    [
      'data.project_id differs',
      '{"type":"story_moved","data":{"story_id":"S","to":"x","project_id":"Q"}}',
    ],
    ['channel must not be all for task.*', '{"type":"task.x","data":{},"user_id":"u"}', 'all'],
    ['channel differs from that of the key', '{"type":"x","channel":"all"}'],
    ['larger than 65536 bytes (MAX_EVENT_SIZE)', textOf(65_536)],
    ['larger than 65536 bytes (MAX_EVENT_SIZE)', textOf(131_072)],
    ['project_id must be a text of 1 to', '{"type":"x","project_id":9007199254740993}'],
    ['the id percent-encoded: {project:a%20b}', '{"type":"x"}', 'project:a b'],
    ['the id percent-encoded: {user:auth0%7C1}', '{"type":"x"}', 'user:auth0|1'],
    ['the key must be PREFIX{CHANNEL}', '{"type":"x"}', 'user:auth0%7c1'],
    ['the key must be PREFIX{CHANNEL}', '{"type":"x"}', 'firehose'],
    ['the key must be PREFIX{CHANNEL}', '{"type":"x"}', 'task:1'],
    ['the key must be PREFIX{CHANNEL}', '{"type":"x"}', `user:${'x'.repeat(257)}`],
  ];
  test.for(refused)('[EV6.3] [EV6.4] %s: %.60s', async ([problem, json, channel = 'project:P']) => {
    const prefix = uniquePrefix();
    const settings = { EVENT_SCHEMAS: 'strict' } as const;
    await using _ = await startNode({ url: redis.url, prefix, settings });
    const { fcall, storedKeys } = foreignService(redis.url, prefix);
    const reply = await fcall(channel, json, 'key');
    expect(reply).toBeInstanceOf(Error);
    expect((reply as Error).message).toContain(`ERR leque: `);
    expect((reply as Error).message).toContain(problem);
    expect(await storedKeys()).toEqual([]);
  });
});

describe('[RT.5] plain PUBLISH', () => {
  test('reaches the sessions of its channel at once, but is not stored', async () => {
    const prefix = uniquePrefix();
    await using node = await startNode({ url: redis.url, prefix });
    const { publish, storedKeys } = foreignService(redis.url, prefix);
    await node.broker.subscribe('project:P');
    const before = await storedKeys();
    expect(
      await publish('project:P', ` ${JSON.stringify({ ...STORY, user_id: 'u', channel: 'all' })}`),
    ).toBe(1);
    await expect.poll(() => node.sink.publications('project:P')).toHaveLength(1);
    const [publication] = node.sink.publications('project:P');
    expect(publication).toMatchObject({ type: 'story_created', position: undefined });
    expect(publication?.event).toEqual({
      ...STORY,
      project_id: 'P',
      story_id: 'S-1',
      user_id: 'u',
      timestamp: expect.stringMatching(RFC_3339),
      message_id: expect.any(String),
    });
    expect(await storedKeys()).toEqual(before);
  });

  test('[NP3.1] is dropped and counted when it is not an event', async () => {
    const prefix = uniquePrefix();
    const settings = { EVENT_SCHEMAS: 'strict' } as const;
    await using node = await startNode({ url: redis.url, prefix, settings });
    const { publish, fcall } = foreignService(redis.url, prefix);
    await node.broker.subscribe('project:P');
    const bad = [
      '{"type":',
      'hello',
      '',
      '[]',
      '{"data":{}}',
      '{"type":"story_deleted","data":{}}',
      '{"type":"x","data":{},"project_id":"Q"}',
      '{"type":"story_deleted","data":{"story_id":"S","project_id":"Q"}}',
      '{"type":"toString","data":{}}',
      '{"type":"error","data":{"message":"m","code":"token_expired"}}',
    ];
    for (const payload of [...bad, textOf(65_536)]) await publish('project:P', payload);
    await publish('project:P', '{"type":"x","data":{"n":1}}');
    await fcall('project:P', '{"type":"x","data":{"n":2}}');
    await expect.poll(() => node.sink.numbers('project:P')).toEqual([1, 2]);
    const dropped = node.telemetry.of('event_dropped');
    expect(dropped).toHaveLength(bad.length + 1);
    expect(dropped.every(({ channel }) => channel === 'project:P')).toBe(true);
    expect(dropped.map(({ detail }) => detail).join('\n')).toContain('data.story_id is required');
  });

  test('cannot bring an event into the firehose', async () => {
    const prefix = uniquePrefix();
    await using node = await startNode({ url: redis.url, prefix });
    await node.broker.subscribe('firehose');
    await command(redis.url, 'PUBLISH', `${prefix}firehose`, '{"type":"x","data":{}}');
    await expect.poll(() => node.telemetry.of('event_dropped')).toHaveLength(1);
    expect(node.sink.of('firehose')).toEqual([]);
  });
});
