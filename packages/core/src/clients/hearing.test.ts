import { HEARING_STEPS, runHearingContract } from '@leque/testkit/contracts';
import { expect, test } from 'vitest';
import { HearingUnderTest } from '../../test/hearing-under-test.ts';

// HEARING_SEED=N runs one sequence; HEARING_RUNS=N runs N of them.
const { HEARING_SEED, HEARING_RUNS = '300' } = process.env;
const AN_HOUR = { timeout: 3_600_000 };
const beginnings = ['takes all', 'one project', 'no project'] as const;

test(
  '[HR] [HR.1] [HR.2] [HR.8] a session hears what the table of PROTOCOL.md says',
  AN_HOUR,
  async () => {
    const all = Array.from({ length: Number(HEARING_RUNS) }, (_, seed) => seed);
    for (const seed of HEARING_SEED === undefined ? all : [Number(HEARING_SEED)]) {
      await runHearingContract({
        seed,
        beginnings,
        kinds: HEARING_STEPS,
        start: async (init) => new HearingUnderTest(init),
      });
    }
  },
);

/** A client that hears the project P by a grant of a minute. */
async function startWithGrant() {
  const session = new HearingUnderTest({
    begins: 'no project',
    token: [],
    own: 'A',
    firehose: true,
    holds: false,
  });
  const take = (kind: 'grant begins' | 'subscribe', cursors = new Map<string, string>()) =>
    session.take({ step: { kind, project: 'A' }, cursors });
  await take('grant begins');
  await take('subscribe');
  await session.publish();
  return { session, take, [Symbol.asyncDispose]: () => session[Symbol.asyncDispose]() };
}

test('[HR.3] [ISO] a grant that ends ends its project, with the reason and the cursor', async () => {
  await using started = await startWithGrant();
  const { session } = started;
  await session.endGrant('A');
  await session.publish();
  expect(session.heard('A')).toEqual([1]);
  expect(session.ends).toEqual([{ channel: 'project:A', cursor: 'e.1', reason: 'grant_expired' }]);
});

test('[GAP] [DUP] a newer grant takes the place of one that ends, without a gap and a replay', async () => {
  await using started = await startWithGrant();
  const { session, take } = started;
  const firstEnd = session.grantEnd('A');
  await take('grant begins');
  session.waitUntil(firstEnd);
  await session.publish();
  expect(session.heard('A')).toEqual([1, 2]);
  expect(session.ends).toEqual([]);
});

test('[LIVE] a session has one timer for all its grants, and none after its end', async () => {
  await using started = await startWithGrant();
  const { session, take } = started;
  await take('grant begins');
  expect(session.timers).toBe(2); // one is the hub's
  await session[Symbol.asyncDispose]();
  expect(session.timers).toBe(0);
});

test('[HR.2] [MEM] chosen projects without their right are forgotten, the oldest first, when they are too many', async () => {
  await using session = new HearingUnderTest({
    ...{ begins: 'takes all', token: [], own: 'A', firehose: true, holds: false },
  });
  const ids = Array.from({ length: 80 }, (_, n) => `R${n}`);
  const auth = (projects: string[]) =>
    session.take({ step: { kind: 'auth', projects }, cursors: new Map() });
  for (const part of [ids.slice(0, 40), ids.slice(40)]) {
    await auth(part);
    for (const project of part) {
      await session.take({ step: { kind: 'subscribe', project }, cursors: new Map() });
    }
    await auth([]);
  }
  await auth(ids);
  expect(session.isRefused).toBe(false);
  // The session of the test may have 50 channels, of which two are its own.
  expect(session.returnedChannels).toEqual(ids.slice(32).map((id) => `project:${id}`));
});
