import { signToken } from '@leque/auth-jwt';
import {
  type FaultProxy,
  freePorts,
  ServerProcess,
  startFaultProxy,
  startRedis,
  TEST_API_KEY,
  TEST_JWT_SECRET,
  uniquePrefix,
} from '@leque/testkit';
import { describeOnOwnRedis } from '@leque/testkit/contracts';
import { expect, test } from 'vitest';

const PATIENCE = { timeout: 15_000 };
/** The second that is promised, and as much for a machine that does other things. */
const ANSWER_WITHIN_MS = 2000;
const CHANNEL = 'project:P';

interface Result {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly body: {
    readonly code?: string;
    readonly duplicate?: boolean;
    readonly message_id?: string;
    readonly results?: readonly { readonly status: string; readonly message_id?: string }[];
  };
}

/** A publisher whose way to Redis can be broken, and one that is not concerned. */
async function startPublishers() {
  await using stack = new AsyncDisposableStack();
  const redis = stack.use(await startRedis({ own: true }));
  const proxy = stack.use(await startFaultProxy({ target: redis.url }));
  const prefix = uniquePrefix();
  const start = async (redisUrl: string) =>
    stack.use(
      await ServerProcess.start({
        name: 'publisher',
        entry: 'apps/publisher/src/main.ts',
        port: await freePorts(1),
        env: {
          DRAIN_GRACE: '0',
          JWT_SECRET: TEST_JWT_SECRET,
          PUBLISH_API_KEYS: TEST_API_KEY,
          LOG_LEVEL: 'warn',
          REDIS_URL: redisUrl,
          REDIS_KEY_PREFIX: prefix,
        },
      }),
    );
  const far = await start(proxy.through(redis.url));
  const near = await start(redis.url);
  const owner = stack.move();
  return { proxy, far, near, [Symbol.asyncDispose]: () => owner.disposeAsync() };
}

async function publish({ url }: ServerProcess, body: unknown, key?: string): Promise<Result> {
  const response = await fetch(`${url}/api/publish`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-api-key': TEST_API_KEY,
      ...(key !== undefined && { 'idempotency-key': key }),
    },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
  });
  return {
    status: response.status,
    retryAfter: response.headers.get('retry-after'),
    body: (await response.json()) as Result['body'],
  };
}

/** The numbers that are stored, in their order. */
async function stored({ url }: ServerProcess): Promise<number[]> {
  const claims = { userId: 'ana', projects: ['P'], scopes: [], expiresInSeconds: 60 };
  const token = await signToken({ secret: TEST_JWT_SECRET, ...claims });
  const response = await fetch(`${url}/api/channels/${CHANNEL}/history?limit=100`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const { publications } = (await response.json()) as {
    publications: { data: { n: number } }[];
  };
  return publications.map(({ data }) => data.n);
}

const eventOf = (n: number) => ({ type: 'x', project_id: 'P', data: { n } });

/** Goes on as a good publisher does: with the same key, until it is told that it is stored. */
async function publishUntilStored(publisher: ServerProcess, n: number): Promise<Result> {
  let answer = await publish(publisher, eventOf(n), `key-${n}`);
  await expect
    .poll(async () => {
      if (answer.status === 503) answer = await publish(publisher, eventOf(n), `key-${n}`);
      return answer.status;
    }, PATIENCE)
    .toBe(200);
  return answer;
}

async function ready(publisher: ServerProcess): Promise<void> {
  const status = async () => (await fetch(`${publisher.url}/readyz`)).status;
  await expect.poll(status, PATIENCE).toBe(200);
}

function expectUnknown({ status, retryAfter, body }: Result): void {
  expect({ status, retryAfter, code: body.code }).toEqual({
    status: 503,
    retryAfter: '1',
    code: 'outcome_unknown',
  });
}

describeOnOwnRedis('answers that are lost', () => {
  test('[ACK] an event whose answer from Redis is lost is reported as unknown, and a retry stores it once', async () => {
    await using all = await startPublishers();
    const { proxy, far, near } = all;
    // Requests pass; answers do not.
    proxy.stall('', 'toClient');
    expectUnknown(await publish(far, eventOf(1), 'a'));
    await expect.poll(() => stored(near), PATIENCE).toEqual([1]);
    proxy.restore();
    await ready(far);
    const again = await publish(far, eventOf(1), 'a');
    expect(again).toMatchObject({ status: 200, body: { duplicate: true } });
    expect(await stored(near)).toEqual([1]);
  }, 60_000);

  test('[ACK] a batch whose answers are lost reports each item as unknown, and a retry stores each once', async () => {
    await using all = await startPublishers();
    const { proxy, far, near } = all;
    proxy.stall('', 'toClient');
    const lost = await publish(far, [1, 2, 3].map(eventOf), 'batch');
    expectUnknown(lost);
    expect(lost.body.results?.map(({ status }) => status)).toEqual(Array(3).fill('unknown'));
    await expect.poll(() => stored(near), PATIENCE).toEqual([1, 2, 3]);
    proxy.restore();
    await ready(far);
    const again = await publish(far, [1, 2, 3].map(eventOf), 'batch');
    expect(again.body.results).toMatchObject(Array(3).fill({ status: 'stored', duplicate: true }));
    expect(await stored(near)).toEqual([1, 2, 3]);
  }, 60_000);

  test('[ACK] events that are retried over a connection that keeps breaking are stored once', async () => {
    await using all = await startPublishers();
    const { proxy, far, near } = all;
    const numbers = Array.from({ length: 100 }, (_, index) => index + 1);
    const cutting = cutAgainAndAgain(proxy);
    const answers = await Promise.all(numbers.map((n) => publishUntilStored(far, n)));
    clearInterval(cutting);
    expect(new Set(answers.map(({ body }) => body.message_id)).size).toBe(numbers.length);
    expect((await stored(near)).toSorted((a, b) => a - b)).toEqual(numbers);
  }, 60_000);
});

function cutAgainAndAgain(proxy: FaultProxy): NodeJS.Timeout {
  let cuts = 0;
  const timer = setInterval(() => {
    proxy.cut();
    cuts += 1;
    if (cuts === 10) clearInterval(timer);
  }, 20);
  return timer;
}
