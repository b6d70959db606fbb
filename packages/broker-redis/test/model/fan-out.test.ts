import { expect, test } from 'vitest';
import { findShortest, runModel } from './model.ts';

// MODEL_SEED=N prints the run of one seed; MODEL_RUNS=N tries N seeds.
const { MODEL_SEED, MODEL_RUNS = '2000' } = process.env;
const RUNS = Number(MODEL_RUNS);
const A_NIGHT = { timeout: 12 * 3_600_000 };
/** Lines of the trace that a failure prints. */
const LINES = 60;

test(
  '[ORD] [DUP] [GAP] [ISO] [MEM] [LIVE] hold in every interleaving of events',
  A_NIGHT,
  async () => {
    if (MODEL_SEED === undefined) await tryAll();
    else await printRun(Number(MODEL_SEED));
  },
);

async function tryAll(): Promise<void> {
  const start = performance.now();
  let steps = 0;
  for (let seed = 0; seed < RUNS; seed += 1) {
    const run = await runModel({ seed, maxSteps: Number.POSITIVE_INFINITY, isDetailed: false });
    if (run.failed) expect.fail(await describe(seed));
    steps += run.scheduler.steps;
    if (seed % 100 === 0) await new Promise(setImmediate); // lets the test runner work
  }
  const perSecond = Math.round((1000 * RUNS) / (performance.now() - start));
  const length = Math.round(steps / RUNS);
  process.stdout.write(`${RUNS} interleavings of ${length} steps, ${perSecond} a second\n`);
}

async function printRun(seed: number): Promise<void> {
  const { violations, trace } = await findShortest(seed);
  process.stdout.write(`${trace.join('\n')}\n`);
  expect(violations).toEqual([]);
}

async function describe(seed: number): Promise<string> {
  const { violations, trace } = await findShortest(seed);
  return [`MODEL_SEED=${seed}: ${violations.join('; ')}`, ...trace.slice(-LINES)].join('\n');
}
