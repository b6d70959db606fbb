import { FakeClock } from '@leque/testkit/fakes';
import { expect, test } from 'vitest';
import type { Clock } from './clock.ts';
import { SteadyClock } from './steady-clock.ts';

const HOUR_MS = 3_600_000;

/** A machine whose clock jumps, and a witness whose clock does not. */
function start(witness?: (trueTime: () => number) => Promise<number> | undefined) {
  const fake = new FakeClock();
  const machine = { offMs: 0 };
  const clock: Clock = {
    now: () => fake.now() + machine.offMs,
    monotonic: () => fake.monotonic(),
    after: (ms, task) => fake.after(ms, task),
    defer: (task) => fake.defer(task),
  };
  const jumps: number[] = [];
  let asked = 0;
  const steady = new SteadyClock({
    clock,
    witness: () => {
      asked += 1;
      return witness?.(() => fake.now());
    },
    onJump: (jumpMs) => jumps.push(jumpMs),
  });
  const errorMs = () => steady.now() - fake.now();
  return { fake, machine, steady, jumps, errorMs, asked: () => asked };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

test.each([2 * HOUR_MS, -2 * HOUR_MS])(
  'a jump by %i ms that the witness does not see is not followed, however long it lasts',
  async (jumpMs) => {
    const { fake, machine, jumps, errorMs } = start(async (trueTime) => trueTime());
    machine.offMs = jumpMs;
    for (let minute = 0; minute < 10; minute += 1) {
      expect(errorMs()).toBe(0);
      await settled();
      fake.advance(60_000);
    }
    machine.offMs = 0;
    expect({ error: errorMs(), jumps }).toEqual({ error: 0, jumps: [jumpMs] });
  },
);

test('a jump that the witness confirms is followed: the clock had been wrong, or had stood still', async () => {
  const { machine, errorMs } = start(async (trueTime) => trueTime() + HOUR_MS);
  machine.offMs = HOUR_MS;
  expect(errorMs()).toBe(0);
  await settled();
  expect(errorMs()).toBe(HOUR_MS);
});

test.each([
  ['does not answer', () => Promise.reject(new Error('away'))],
  ['does not exist', () => undefined],
])('without a witness, because it %s, a jump is followed after a minute', async (_, witness) => {
  const { fake, machine, errorMs } = start(witness);
  machine.offMs = HOUR_MS;
  for (let passedMs = 0; passedMs < 60_000; passedMs += 5000) {
    expect(errorMs()).toBe(0);
    await settled();
    fake.advance(5000);
  }
  await settled();
  expect(errorMs()).toBe(HOUR_MS);
});

test('a witness that has contradicted a jump may fail for up to a minute', async () => {
  let isAway = false;
  const { fake, machine, errorMs } = start(async (trueTime) => {
    if (isAway) throw new Error('away');
    return trueTime();
  });
  machine.offMs = 2 * HOUR_MS;
  for (let passedMs = 0; passedMs < 120_000; passedMs += 5000) {
    expect(errorMs()).toBe(0);
    await settled();
    fake.advance(5000);
  }
  isAway = true;
  for (let passedMs = 0; passedMs < 50_000; passedMs += 5000) {
    await settled();
    expect(errorMs()).toBe(0);
    fake.advance(5000);
  }
});

test('small corrections are followed at once, also when they add up', () => {
  const { fake, machine, errorMs, jumps } = start();
  for (let step = 1; step <= 20; step += 1) {
    fake.advance(1000);
    machine.offMs = step * 500;
    expect(errorMs()).toBe(step * 500);
  }
  expect(jumps).toEqual([]);
});

test('[LIVE] the witness is asked one question at a time, until the jump is judged or the clock is closed', async () => {
  const { fake, machine, steady, errorMs, asked } = start(async (trueTime) => trueTime());
  for (const offMs of [HOUR_MS, 0, -HOUR_MS]) {
    machine.offMs = offMs;
    errorMs();
    await settled();
  }
  expect(fake.pending).toBe(1);
  const before = asked();
  fake.advance(5000);
  await settled();
  expect(asked()).toBe(before + 1);
  steady.close();
  fake.advance(60_000);
  expect({ pending: fake.pending, asked: asked() }).toEqual({ pending: 0, asked: before + 1 });
});

test('[LIVE] a clock that is closed while the witness is asked asks no more', async () => {
  const { fake, machine, steady, errorMs, asked } = start(async (trueTime) => trueTime());
  machine.offMs = HOUR_MS;
  errorMs();
  steady.close();
  await settled();
  expect({ pending: fake.pending, asked: asked() }).toEqual({ pending: 0, asked: 1 });
});
