import { expect, test } from 'vitest';
import { ChannelRecords } from './channel-records.ts';

test('[LIVE] records are those of the newest ids, never more than allowed, and none that is too old', () => {
  let now = 1;
  const records = new ChannelRecords<{ channel: string; n: number }>(
    { monotonic: () => now },
    { entries: 4, ttlMs: 10 },
  );
  const numbersOf = (id: number) => records.find(`k${id}`).map(({ n }) => n);
  for (let n = 1; n <= 100; n += 1) {
    records.set(`k${n}`, { channel: 'c', n });
    for (let newest = Math.max(1, n - 3); newest <= n; newest += 1) {
      expect(numbersOf(newest)).toEqual([newest]);
    }
    expect(numbersOf(n - 4)).toEqual([]);
  }
  records.set('k100', { channel: 'c', n: -100 });
  expect(numbersOf(100)).toEqual([-100]);
  now = 12;
  expect(numbersOf(100)).toEqual([]);
});

test('[LIVE] an id used in many channels keeps the records of the newest sixteen', () => {
  const records = new ChannelRecords<{ channel: string }>(
    { monotonic: () => 1 },
    { entries: 4, ttlMs: 10 },
  );
  for (let n = 1; n <= 20; n += 1) records.set('id', { channel: `c${n}` });
  expect(records.find('id').map(({ channel }) => channel)).toEqual(
    Array.from({ length: 16 }, (_, index) => `c${index + 5}`),
  );
  expect(records.findIn('c4', 'id')).toBeUndefined();
  expect(records.findIn('c20', 'id')).toEqual({ channel: 'c20' });
});
