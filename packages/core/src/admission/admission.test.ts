import { FakeClock } from '@leque/testkit/fakes';
import { expect, test } from 'vitest';
import { Admission, type AdmissionLine } from './admission.ts';

/** The clock of a node whose turns of the event loop may take long. */
class LateClock extends FakeClock {
  lateMs = 0;

  override monotonic(): number {
    return super.monotonic() + this.lateMs;
  }
}

/** Newcomers, and what becomes of each. */
function startAdmission(limits: { rate: number; burst: number }) {
  const clock = new LateClock();
  const admission = new Admission(clock, { ...limits, waitMs: 1000 });
  const outcomes: string[] = [];
  const come = (count: number, line: AdmissionLine = 'newcomers') => {
    for (let n = 0; n < count; n += 1) {
      const index = outcomes.push('waits') - 1;
      admission.enter(line).then(
        () => {
          outcomes[index] = 'in';
        },
        (error) => {
          outcomes[index] = error.code;
        },
      );
    }
  };
  const pass = async (ms: number) => {
    clock.advance(ms);
    await new Promise(setImmediate);
  };
  const count = (outcome: string) => outcomes.filter((each) => each === outcome).length;
  return { clock, admission, come, pass, count };
}

test('after a quiet time a burst goes in at once, the others at the rate', async () => {
  const { come, pass, count } = startAdmission({ rate: 100, burst: 10 });
  come(50);
  await pass(0);
  expect(count('in')).toBe(10);
  await pass(100);
  expect(count('in')).toBe(20);
  await pass(300);
  expect(count('in')).toBe(50);
});

test('[LIVE] no more wait than can go in soon; the others are refused at once', async () => {
  const { come, pass, count } = startAdmission({ rate: 100, burst: 10 });
  come(200);
  await pass(0);
  expect([count('in'), count('waits'), count('overloaded')]).toEqual([10, 75, 115]);
  await pass(750);
  expect([count('in'), count('waits')]).toEqual([85, 0]);
});

test('[ORD] who comes while others wait goes in after them', async () => {
  const { come, pass, count, admission } = startAdmission({ rate: 100, burst: 1 });
  come(3);
  await pass(10);
  const late = admission.enter('newcomers').then(() => count('in'));
  await pass(100);
  expect(await late).toBe(3);
});

test('[LIVE] a node that is too busy takes a burst at a time, and nobody waits longer than a second', async () => {
  const { clock, come, pass, count, admission } = startAdmission({ rate: 100, burst: 2 });
  come(50);
  clock.lateMs = 400;
  await pass(5);
  expect(count('in')).toBe(4);
  clock.lateMs = 1000;
  await pass(105);
  expect([count('in'), count('overloaded'), count('waits')]).toEqual([4, 46, 0]);
  await admission.enter('newcomers');
});

test('[LIVE] joins leave a busy node most of its time: a turn that was late is followed by a rest', async () => {
  const { clock, come, pass, count } = startAdmission({ rate: 1000, burst: 10 });
  come(60);
  clock.lateMs = 30;
  await pass(5);
  expect(count('in')).toBe(20);
  await pass(60);
  expect(count('in')).toBe(20);
  await pass(5);
  expect(count('in')).toBe(30);
  // It was on time, so the next one comes at the usual pace.
  await pass(5);
  expect(count('in')).toBe(35);
});

test('[LIVE] from its close on nobody waits or goes in, and no timer is left', async () => {
  const { clock, admission, come, pass, count } = startAdmission({ rate: 100, burst: 1 });
  come(5);
  admission.close();
  come(1);
  await pass(0);
  expect([count('in'), count('draining')]).toEqual([1, 5]);
  expect(clock.pending).toBe(0);
});

test('[LIVE] clients with a known token do not wait for newcomers, who still get every fourth turn', async () => {
  const { come, pass, count, admission } = startAdmission({ rate: 100, burst: 1 });
  come(50);
  await pass(0);
  expect(count('in')).toBe(1);
  const known: number[] = [];
  for (let n = 0; n < 8; n += 1) {
    admission.enter('known').then(
      () => known.push(n),
      () => {},
    );
  }
  await pass(110);
  expect(known).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(count('in')).toBe(1 + 3);
});

test('[LIVE] newcomers cannot fill the line of clients with a known token', async () => {
  const { come, pass, count } = startAdmission({ rate: 100, burst: 1 });
  come(200);
  come(1, 'known');
  await pass(0);
  const refused = count('overloaded');
  expect(refused).toBe(200 - 1 - 75);
  await pass(15);
  expect(count('overloaded')).toBe(refused);
  expect(count('in')).toBeGreaterThanOrEqual(2);
});
