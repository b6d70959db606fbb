import { expect, test } from 'vitest';
import { findShortest, runModel } from './model.ts';

// MODEL_SEED=N tells what happens under one seed; MODEL_RUNS=N tries as many as there is time for.
const { MODEL_SEED, MODEL_RUNS = '2000' } = process.env;
const RUNS = Number(MODEL_RUNS);
const A_NIGHT = { timeout: 12 * 3_600_000 };
/** What is told of a run that fails. */
const LINES = 60;

test(
  '[ORD] [DUP] [GAP] [ISO] [MEM] [LIVE] hold in whichever order things happen',
  A_NIGHT,
  async () => {
    if (MODEL_SEED === undefined) await tryAll();
    else await tell(Number(MODEL_SEED));
  },
);

async function tryAll(): Promise<void> {
  const start = performance.now();
  let steps = 0;
  for (let seed = 0; seed < RUNS; seed += 1) {
    const run = await runModel({ seed, maxSteps: Number.POSITIVE_INFINITY, isDetailed: false });
    if (run.failed) expect.fail(await describe(seed));
    steps += run.scheduler.steps;
    if (seed % 100 === 0) await new Promise(setImmediate); // the runner wants to hear of it
  }
  const perSecond = Math.round((1000 * RUNS) / (performance.now() - start));
  const length = Math.round(steps / RUNS);
  process.stdout.write(`${RUNS} interleavings of ${length} steps, ${perSecond} a second\n`);
}

async function tell(seed: number): Promise<void> {
  const { violations, trace } = await findShortest(seed);
  process.stdout.write(`${trace.join('\n')}\n`);
  expect(violations).toEqual([]);
}

async function describe(seed: number): Promise<string> {
  const { violations, trace } = await findShortest(seed);
  return [`MODEL_SEED=${seed}: ${violations.join('; ')}`, ...trace.slice(-LINES)].join('\n');
}
