import { MemoryControl } from '@leque/broker-memory';
import type { Clock } from '@leque/core';
import { Random } from '@leque/testkit';
import { FakeClock, makeEvent } from '@leque/testkit/fakes';
import { expect, test } from 'vitest';
import { PUBLISH_RECORDS, PublishJournal } from './publish-journal.ts';

function startJournal(limits: { entries: number; ttlMs: number }) {
  const clock = new FakeClock();
  const wall = { offMs: 0 };
  const jumping: Clock = {
    now: () => clock.now() + wall.offMs,
    monotonic: () => clock.monotonic(),
    after: (ms, task) => clock.after(ms, task),
    defer: (task) => clock.defer(task),
  };
  const journal = new PublishJournal(jumping, limits);
  const control = new MemoryControl('publisher');
  journal.register(control);
  const find = async (messageId: string) => {
    const { answers } = await control.request(PUBLISH_RECORDS, messageId);
    return answers.flatMap(({ body }) => body.map(({ channel, cursor }) => `${channel} ${cursor}`));
  };
  const note = (messageId: string, channel: string, offset: number) => {
    const event = makeEvent(channel, {}, { message_id: messageId });
    const position = { epoch: 'e', offset };
    journal.note(event, { messageId, position, duplicate: false }, { caller: 'a key', tookMs: 0 });
  };
  return { clock, wall, note, find };
}

test('[LIVE] a journal remembers the newest publications, and the newest of each channel', async () => {
  for (let seed = 1; seed <= 30; seed += 1) {
    const random = new Random(seed);
    const entries = 1 + random.below(12);
    const { note, find } = startJournal({ entries, ttlMs: 1_000 });
    const noted: [id: string, channel: string, offset: number][] = [];
    for (let offset = 1; offset <= 40; offset += 1) {
      noted.push([`m${random.below(3)}`, `project:P${random.below(4)}`, offset]);
      note(...(noted.at(-1) as (typeof noted)[number]));
    }
    for (const id of ['m0', 'm1', 'm2']) {
      const kept = noted.slice(-entries).filter(([each]) => each === id);
      const newest = kept.filter(
        ([, channel, offset]) =>
          !kept.some(([, other, later]) => other === channel && later > offset),
      );
      expect(await find(id), `seed ${seed}`).toEqual(
        newest.map(([, channel, offset]) => `${channel} e.${offset}`),
      );
    }
  }
});

test('[LIVE] a journal forgets what is too old', async () => {
  const { clock, note, find } = startJournal({ entries: 4, ttlMs: 1_000 });
  note('m', 'project:P', 1);
  clock.advance(600);
  note('m', 'project:Q', 1);
  clock.advance(600);
  expect(await find('m')).toEqual(['project:Q e.1']);
});

test('a journal forgets nothing early when the clock is corrected', async () => {
  const { wall, note, find } = startJournal({ entries: 4, ttlMs: 1_000 });
  note('m', 'project:P', 1);
  wall.offMs = 3_600_000;
  expect(await find('m')).toEqual(['project:P e.1']);
});

test('[LIVE] the answer for an id names at most sixteen channels', async () => {
  const { note, find } = startJournal({ entries: 100, ttlMs: 1_000 });
  for (let n = 1; n <= 20; n += 1) note('m', `project:P${n}`, 1);
  expect(await find('m')).toEqual(Array.from({ length: 16 }, (_, n) => `project:P${n + 5} e.1`));
});

test('a journal without entries remembers nothing', async () => {
  const { note, find } = startJournal({ entries: 0, ttlMs: 1_000 });
  note('m', 'project:P', 1);
  expect(await find('m')).toEqual([]);
});
