import { HEARING_STEPS, runHearingContract } from '@leque/testkit/contracts';
import { test } from 'vitest';
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
