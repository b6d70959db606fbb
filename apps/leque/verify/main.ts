import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { INTERRUPTED_EXIT_CODE, Interruption } from '../bench/interruption.ts';
import { existingTarget } from './existing-target.ts';
import { readOptions, type VerifyArguments, type VerifyOptions } from './options.ts';
import { startOwnTarget } from './own-target.ts';
import { type ScenarioResult, skippedResult } from './result.ts';
import { runScenario } from './run-scenario.ts';
import type { Scenario } from './scenario.ts';
import { SCENARIOS, SHORT_SCENARIOS } from './scenarios/index.ts';
import { markdownTable, tableHead, tableRow } from './table.ts';
import type { Target } from './target.ts';

const print = (line: string) => process.stdout.write(`${line}\n`);

/**
 * The `leque verify` command.
 * @returns the exit code of the process: 1 when anything was violated
 */
export async function verify(given: VerifyArguments, startedByNpm: boolean): Promise<number> {
  const scenarios = given.short ? SHORT_SCENARIOS : SCENARIOS;
  const options = readOptions(given, scenarios);
  if (given.list) {
    for (const { name, about } of scenarios) print(`${name.padEnd(18)} ${about}`);
    return 0;
  }
  using interruption = new Interruption(startedByNpm);
  const results: ScenarioResult[] = [];
  await Promise.race([runAll(options, results, interruption.signal), aborted(interruption.signal)]);
  if (given.out !== undefined) await writeResults(results, given.out);
  if (interruption.signal.aborted) {
    print('\nInterrupted.');
    process.exit(INTERRUPTED_EXIT_CODE); // all that it has started ends with it
  }
  return conclude(results, options.seed);
}

/** Each result is there as soon as its scenario is over. */
async function runAll(
  options: VerifyOptions,
  results: ScenarioResult[],
  signal: AbortSignal,
): Promise<void> {
  print(`seed ${options.seed}\n\n${tableHead()}`);
  for (const scenario of options.scenarios) {
    const result = await runOne(scenario, options, signal);
    if (signal.aborted) return;
    print(tableRow(result));
    results.push(result);
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

async function runOne(
  scenario: Scenario,
  { seed, existing }: VerifyOptions,
  signal: AbortSignal,
): Promise<ScenarioResult> {
  if (existing !== undefined && scenario.breaks === 'system') {
    return skippedResult(scenario, seed, 'it breaks the system, which is not ours');
  }
  await using target = await openTarget(scenario, existing);
  return await runScenario(scenario, { seed, target, signal });
}

async function openTarget(
  { system }: Scenario,
  existing: VerifyOptions['existing'],
): Promise<Target> {
  if (existing !== undefined) return existingTarget(existing);
  return await startOwnTarget({ appendonly: false, ...system });
}

async function writeResults(results: readonly ScenarioResult[], folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'results.json'), `${JSON.stringify(results, undefined, 1)}\n`);
  await writeFile(join(folder, 'results.md'), markdownTable(results));
  print(`\n${join(folder, 'results.json')} and ${join(folder, 'results.md')}`);
}

function conclude(results: readonly ScenarioResult[], seed: number): number {
  const deliveries = results.reduce((sum, { findings }) => sum + findings.deliveries, 0);
  const broken = results.filter(({ violations }) => violations.length > 0);
  const audited = `${deliveries.toLocaleString('en')} deliveries audited`;
  if (broken.length === 0) print(`\n${audited}: everything held.`);
  else {
    const names = broken.map(({ scenario }) => scenario).join(',');
    print(`\n${audited}: VIOLATED. Again with --seed ${seed} --only ${names}`);
  }
  return broken.length === 0 ? 0 : 1;
}
