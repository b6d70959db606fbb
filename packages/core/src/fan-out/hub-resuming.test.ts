import { describe, expect, test } from 'vitest';
import { at, HubUnderTest } from '../../test/hub-under-test.ts';
import { identity, publication } from '../../test/samples.ts';
import { ALL_PROJECTS, Grants } from '../access/grants.ts';
import type { HistoryPage } from '../ports/broker.ts';

const everyProject = new Grants({ userId: 'alice', projects: [ALL_PROJECTS], scopes: [] });
const FOUR = ['1', '2', '3', '4'].map((id) => `project:${id}`);
/** Bytes that may be held: two thirds of the outbox. */
const ROOM = 666;
const PATIENCE_MS = 10_000;

/** A session that resumes several channels at once; the test answers its reads. */
function startResume(channels = FOUR) {
  const node = new HubUnderTest({ maxSubscriptions: channels.length });
  const { session, connection } = node.connect({ ...identity('alice'), grants: everyProject });
  node.broker.position = at(20);
  const answers: ((page: HistoryPage) => void)[] = [];
  Object.defineProperty(node.broker, 'page', {
    get: () => new Promise<HistoryPage>((resolve) => answers.push(resolve)),
  });
  const resuming = channels.map((channel) =>
    node.hub.subscribe(session, channel, { since: at(0) }),
  );
  const outcomes = Promise.allSettled(resuming);
  /** Each publication takes ten bytes. */
  const answer = async (count: number, state: Partial<HistoryPage> = {}) => {
    await expect.poll(() => answers).toHaveLength(1);
    const channel = node.broker.historyReads.at(-1)?.channel ?? '';
    const offsets = Array.from({ length: count }, (_, index) => index + 1);
    const publications = offsets.map((offset) => publication(channel, offset));
    answers.shift()?.({ position: at(count), publications, complete: true, ...state });
  };
  return { node, session, connection, outcomes, answer };
}

describe('resuming several channels', () => {
  test('[MEM] [RE1.6] reads one history after the other, each limited to the remaining room', async () => {
    const { node, outcomes, answer } = startResume();
    await answer(30);
    await answer(0, { complete: false });
    await answer(36);
    await answer(0);
    expect(await outcomes).toMatchObject([
      { value: { recovered: true } },
      { value: { recovered: false } },
      { value: { recovered: true } },
      { value: { recovered: true } },
    ]);
    expect(node.broker.historyReads).toEqual(
      [ROOM, ROOM - 300, ROOM - 300, ROOM - 660].map((bytes, index) => {
        return { channel: FOUR[index], publications: 100, bytes };
      }),
    );
  });

  test('[MEM] [RE1.6] counts the bytes that a connection adds to each frame', async () => {
    const { session, connection, outcomes, answer } = startResume(FOUR.slice(0, 2));
    Object.assign(connection, { stampBytesOf: () => 20 });
    await answer(23);
    await answer(22);
    const [first, second] = await outcomes;
    expect([first, second]).toMatchObject([{ status: 'fulfilled' }, { status: 'fulfilled' }]);
    const held = FOUR.slice(0, 2).map((channel) => session.subscriptions.get(channel)?.held);
    expect(held.map((each) => [each?.hasMissed, each?.hasGap])).toEqual([
      [false, true],
      [true, false],
    ]);
    expect(session.heldBytes).toBe(660);
  });

  test('[LIVE] gives up a history that waits too long, and accepts its cursor again later', async () => {
    const { node, outcomes, answer } = startResume();
    await expect.poll(() => node.broker.historyReads).toHaveLength(1);
    node.clock.advance(PATIENCE_MS);
    await answer(1);
    expect(await outcomes).toMatchObject([
      { value: { recovered: true } },
      { reason: { code: 'unavailable' } },
      { reason: { code: 'unavailable' } },
      { reason: { code: 'unavailable' } },
    ]);
    expect(node.broker.historyReads).toHaveLength(1);
  });

  test('[LIVE] reads nothing more for a closed session', async () => {
    const { node, session, outcomes, answer } = startResume();
    await expect.poll(() => node.broker.historyReads).toHaveLength(1);
    node.hub.remove(session);
    await answer(1);
    await outcomes;
    expect(node.broker.historyReads).toHaveLength(1);
  });
});
