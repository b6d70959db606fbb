import { type HistoryExtent, type HistoryPage, Publication } from '@leque/core';
import { FakeClock } from '@leque/testkit/fakes';
import { expect, test } from 'vitest';
import { HistoryReads } from './history-reads.ts';

const after = (offset: number) => ({ epoch: 'e', offset });
const EXTENT = { publications: 10, bytes: 100 };
const EMPTY: HistoryPage = { position: after(0), publications: [], complete: true };

/** Reads that end one after the other when `answer` is called. */
function startReads() {
  const clock = new FakeClock();
  const asked: string[] = [];
  const answers: (() => void)[] = [];
  const history = (channel: string) => {
    asked.push(channel);
    return new Promise<HistoryPage>((resolve) => answers.push(() => resolve(EMPTY)));
  };
  const answer = () => answers.shift()?.();
  return {
    clock,
    asked,
    answer,
    reads: new HistoryReads({ history, page: history }, clock, () => undefined),
  };
}

test('[LIVE] queries for the same history in one turn share one read', async () => {
  const { clock, asked, answer, reads } = startReads();
  const pages = [1, 1, 2, 1].map((offset) => reads.read('all', after(offset), EXTENT));
  clock.endTurn();
  await expect.poll(() => asked).toHaveLength(2);
  answer();
  answer();
  expect(await Promise.all(pages)).toEqual([EMPTY, EMPTY, EMPTY, EMPTY]);
});

test('[GAP] a query does not join a read that has begun, because that may end too early', async () => {
  const { clock, asked, answer, reads } = startReads();
  const first = reads.read('all', after(1), EXTENT);
  clock.endTurn();
  await expect.poll(() => asked).toHaveLength(1);
  const second = reads.read('all', after(1), EXTENT);
  clock.endTurn();
  await expect.poll(() => asked).toHaveLength(2);
  answer();
  answer();
  expect(await Promise.all([first, second])).toEqual([EMPTY, EMPTY]);
});

test('[LIVE] a read that all callers have given up is not made, unless it is asked for again', async () => {
  const { clock, asked, answer, reads } = startReads();
  const running = Array.from({ length: 16 }, (_, n) => reads.read(`user:${n}`, after(1), EXTENT));
  const abandoned = reads.read('user:abandoned', after(1), EXTENT);
  const early = reads.read('user:wanted', after(1), EXTENT);
  clock.endTurn();
  await expect.poll(() => asked).toHaveLength(16);
  clock.advance(4000);
  const late = reads.read('user:wanted', after(1), EXTENT);
  clock.advance(1000);
  answer();
  await expect(abandoned).rejects.toMatchObject({ code: 'unavailable' });
  await expect.poll(() => asked.slice(16)).toEqual(['user:wanted']);
  for (let n = 0; n < 16; n += 1) answer();
  expect(await Promise.all([early, late])).toEqual([EMPTY, EMPTY]);
  await Promise.all(running);
});

test('[MEM] callers that share a read keep their own limits of size', async () => {
  const clock = new FakeClock();
  const json = JSON.stringify({ text: 'x'.repeat(40) });
  const publications = [1, 2].map(
    (offset) => new Publication({ channel: 'all', type: 'x', position: after(offset), json }),
  );
  const whole = { position: after(2), publications, complete: true };
  const asked: HistoryExtent[] = [];
  const history = async (...[, , extent]: [string, unknown, HistoryExtent]) => {
    asked.push(extent);
    return whole;
  };
  const reads = new HistoryReads({ history, page: async () => whole }, clock, () => undefined);
  const rooms = [99, 102, 101, 0];
  const pages = rooms.map((bytes) => reads.read('all', after(0), { publications: 10, bytes }));
  clock.endTurn();
  const nothing = { ...whole, publications: [], complete: false, tooLarge: true };
  expect(await Promise.all(pages)).toEqual([nothing, whole, nothing, nothing]);
  expect(asked).toEqual([{ publications: 10, bytes: 102 }]);
});
