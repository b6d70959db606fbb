import { FakeClock } from '@leque/testkit/fakes';
import { expect, test } from 'vitest';
import { BusBarrier } from './bus-barrier.ts';

const PERIOD_MS = 2000;

/** Three masters whose marks arrive when the test says so. */
function startBarrier() {
  const clock = new FakeClock();
  const marks: string[] = [];
  const redis = {
    publish: async (_: string, mark: string) => {
      marks.push(mark);
      return 1;
    },
  };
  let away = false;
  const barrier = new BusBarrier({
    redisChannel: 'node:a',
    onEachMaster: (command) =>
      [1, 2, 3].map((n) =>
        away && n === 2 ? Promise.reject(new Error('away')) : command(redis as never),
      ),
    clock,
  });
  return {
    clock,
    marks,
    barrier,
    arrive: (count: number) => {
      for (const mark of marks.splice(0, count)) barrier.message(Buffer.from(mark));
    },
    setAway: (value: boolean) => {
      away = value;
    },
  };
}

test('[GAP] passing the barrier takes a mark of every master', async () => {
  const { barrier, arrive } = startBarrier();
  let passed = false;
  const passing = barrier.pass().then(() => {
    passed = true;
  });
  arrive(2);
  await Promise.resolve();
  expect(passed).toBe(false);
  arrive(1);
  await passing;
  expect(passed).toBe(true);
});

test('[GAP] marks of an earlier passage do not count', async () => {
  const { barrier, arrive } = startBarrier();
  const earlier = barrier.pass();
  const later = barrier.pass();
  arrive(3);
  await earlier;
  arrive(2);
  await expect(Promise.race([later, Promise.resolve('waiting')])).resolves.toBe('waiting');
  arrive(1);
  await later;
});

test('[HON] a master whose marks do not arrive twice is a problem', async () => {
  const { barrier, clock, marks, arrive, setAway } = startBarrier();
  barrier.start();
  setAway(true);
  clock.advance(PERIOD_MS);
  await settle();
  expect(barrier.problem).toBeUndefined();
  clock.advance(PERIOD_MS);
  await settle();
  expect(barrier.problem).toContain('do not arrive');
  setAway(false);
  marks.splice(0);
  clock.advance(PERIOD_MS);
  arrive(3);
  await settle();
  expect(barrier.problem).toBeUndefined();
  barrier.stop();
  expect(clock.pending).toBe(0);
});

/** Lets the reactions of settled promises run. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
