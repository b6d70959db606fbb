import { readFileSync } from 'node:fs';
import { RunningProcess } from '@leque/testkit';
import { expect, test } from 'vitest';
import { DutyCycle } from '../src/measuring/duty-cycle.ts';

test('a process with a duty cycle runs for that share of the time, and freely afterwards', async () => {
  await using busy = new RunningProcess('-e', ['for (;;);'], {});
  await expect.poll(() => stateOf(busy.pid)).toBe('R');
  const seen = { R: 0, T: 0 };
  {
    using _cycle = new DutyCycle([busy.pid], 0.5);
    await expect
      .poll(
        () => {
          const state = stateOf(busy.pid);
          if (state === 'R' || state === 'T') seen[state] += 1;
          return Math.min(seen.R, seen.T);
        },
        { interval: 1, timeout: 10_000 },
      )
      .toBeGreaterThan(20);
  }
  await expect.poll(() => stateOf(busy.pid)).toBe('R');
});

/** R for running, T for stopped, as in proc(5). */
function stateOf(pid: number): string | undefined {
  return /\) (\w)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1];
}
