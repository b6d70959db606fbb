import { MemoryBroker, MemoryStore } from '@leque/broker-memory';
import { ClientAddresses } from '@leque/service';
import { FakeClock } from '@leque/testkit/fakes';
import { expect, test } from 'vitest';
import {
  bearer,
  notification,
  openPolicy,
  PublisherUnderTest,
  strictPolicy,
} from './publisher-under-test.ts';

const rates = { key: 1, user: 1, address: 1 }; // ten units at once
const stopped = { clock: new FakeClock() };
const key = { 'x-api-key': 'a-key' };
const user = await bearer(['publish:all']);
const history = '/api/channels/project:PROJ-001/history';

/** Statuses of requests that are sent one after the other, with the number of each. */
async function tally(requests: (() => Promise<{ status: number }>)[]) {
  const counts: Record<number, number> = {};
  for (const request of requests) {
    const { status } = await request();
    counts[status] = (counts[status] ?? 0) + 1;
  }
  return counts;
}

const times = <T>(count: number, request: () => T) => Array<() => T>(count).fill(request);

test.each([
  ['API key', 'key', key],
  ['user', 'user', user],
  ['address', 'address', {}],
] as const)('each %s has a limit of its own', async (words, kind, headers) => {
  const policy = kind === 'address' ? openPolicy : strictPolicy;
  await using publisher = new PublisherUnderTest({ ...policy, rates }, stopped);
  const publish = () => publisher.post('/api/publish', notification, { ...headers });
  const { headers: fields } = await publish();
  expect(fields['ratelimit-policy']).toBe(`"${kind}";q=10;w=10`);
  expect(fields['ratelimit']).toBe(`"${kind}";r=9;t=1`);
  expect(await tally(times(12, publish))).toEqual({ 200: 9, 429: 3 });
  const refused = await publish();
  expect(refused.headers['content-type']).toMatch('application/problem+json');
  expect(refused.headers['retry-after']).toBe('1');
  expect(refused.headers['ratelimit']).toBe(`"${kind}";r=0;t=10`);
  expect(refused.json).toMatchObject({
    status: 429,
    code: 'rate_limited',
    detail: `each ${words} has at most 1 requests and events per second`,
  });
  expect(publisher.counters.stored).toBe(10);
});

test('one caller at the limit does not refuse the others', async () => {
  await using publisher = new PublisherUnderTest({ ...strictPolicy, rates }, stopped);
  const publish = (headers: Record<string, string>) => () =>
    publisher.post('/api/publish', notification, headers);
  expect(await tally(times(11, publish(key)))).toEqual({ 200: 10, 429: 1 });
  expect(await tally(times(11, publish({ 'x-api-key': 'another-key' })))).toMatchObject({
    200: 10,
  });
  expect(await tally(times(11, publish(user)))).toMatchObject({ 200: 10 });
});

test.each([
  ['behind a trusted proxy clients have limits of their own', 'loopback', 200],
  ['nobody escapes a limit by naming another address', '10.0.0.0/8', 429],
])('%s', async (_, TRUSTED_PROXIES, status) => {
  const addresses = new ClientAddresses({ TRUSTED_PROXIES });
  await using publisher = new PublisherUnderTest(
    { ...openPolicy, rates },
    { ...stopped, addresses },
  );
  const publish = (address: string) => () =>
    publisher.post('/api/publish', notification, { 'x-forwarded-for': address });
  expect(await tally(times(11, publish('192.0.2.1')))).toEqual({ 200: 10, 429: 1 });
  expect((await publish('192.0.2.2')()).status).toBe(status);
});

test('each event of a list counts, and so does what a read of a history asks for', async () => {
  await using publisher = new PublisherUnderTest({ ...strictPolicy, rates }, stopped);
  const list = Array(8).fill(notification);
  expect((await publisher.post('/api/publish', list, key)).headers['ratelimit']).toMatch('r=2;');
  const second = await publisher.post('/api/publish', list, key);
  expect([second.status, publisher.counters.stored]).toEqual([429, 8]);
  const reader = await bearer([], ['PROJ-001']);
  const read = await publisher.get(`${history}?limit=50`, reader);
  expect([read.status, read.headers['ratelimit']]).toEqual([200, '"user";r=4;t=6']);
});

test('without a limit the answer has no fields of one', async () => {
  await using publisher = new PublisherUnderTest(strictPolicy);
  const { headers } = await publisher.post('/api/publish', notification, key);
  expect(Object.keys(headers).filter((name) => name.startsWith('ratelimit'))).toEqual([]);
});

test('a body is not read when its caller is at the limit', async () => {
  await using publisher = new PublisherUnderTest({ ...strictPolicy, rates }, stopped);
  const publish = (body: unknown) => () => publisher.post('/api/publish', body, key);
  await tally(times(10, publish(notification)));
  expect(await tally(times(2, publish('{')))).toEqual({ 429: 2 });
});

const guesses: [string, (n: number) => Record<string, string>][] = [
  ['API keys', (n) => ({ 'x-api-key': `guess-${n}` })],
  ['API keys as a bearer', (n) => ({ authorization: `Bearer guess-${n}` })],
  ['tokens', (n) => ({ authorization: `${user.authorization.slice(0, -4)}${1000 + n}` })],
];

test.each(guesses)('an address may try a few wrong %s, and is then not told', async (_, guess) => {
  const wrongCredentialsPerMinute = 60; // ten at once
  await using publisher = new PublisherUnderTest(
    { ...strictPolicy, wrongCredentialsPerMinute },
    stopped,
  );
  const attempt = (headers: Record<string, string>) => () =>
    publisher.get('/api/ws/stats', headers);
  expect((await attempt(key)()).status).toBe(200);
  const attempts = Array.from({ length: 15 }, (_each, n) => attempt(guess(n)));
  expect(await tally(attempts)).toEqual({ 401: 10, 429: 5 });
  // The right key is refused as well, so that nobody learns which one it is.
  const right = await attempt({ 'x-api-key': 'another-key' })();
  expect([right.status, right.headers['retry-after']]).toEqual([429, '1']);
  expect((await attempt(key)()).status).toBe(200);
  expect((await attempt({})()).status).toBe(401);
});

const kept = { size: 1000, ttlMs: 60_000 };

class SlowBroker extends MemoryBroker {
  running = 0;
  most = 0;

  override async history(...request: Parameters<MemoryBroker['history']>) {
    this.running += 1;
    this.most = Math.max(this.most, this.running);
    await new Promise(setImmediate);
    this.running -= 1;
    return super.history(...request);
  }
}

test('few reads of histories run at once, and a caller with very many is refused', async () => {
  const history = { project: kept, user: kept, all: kept };
  const store = new MemoryStore({ history, idempotencyTtlMs: 60_000, firehose: true });
  const broker = new SlowBroker(store);
  await using publisher = new PublisherUnderTest({ ...strictPolicy, historyReads: 3 }, { broker });
  const reader = await bearer([], ['PROJ-001']);
  const admin = await bearer(['admin']);
  const reads = (headers: Record<string, string>, count: number) =>
    Array.from(
      { length: count },
      async () => (await publisher.get('/api/channels/all/history', headers)).status,
    );
  const same = { ...reader };
  const statuses = await Promise.all(reads(same, 40));
  expect(new Set(statuses)).toEqual(new Set([200, 429]));
  expect(broker.most).toBe(2);
  const few = await Promise.all([...reads(same, 10), ...reads(admin, 10)]);
  expect(new Set(few)).toEqual(new Set([200]));
});
