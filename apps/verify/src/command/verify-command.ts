import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { INTERRUPTED_EXIT_CODE, Interruption, printer } from '@leque/lab';
import { type ScenarioResult, skippedResult } from '../run/result.ts';
import { runScenario } from '../run/run-scenario.ts';
import type { Scenario } from '../run/scenario.ts';
import { SCENARIOS, SHORT_SCENARIOS } from '../scenarios/index.ts';
import { soakScenario } from '../scenarios/soak.ts';
import { existingTarget } from '../target/existing-target.ts';
import { startOwnTarget } from '../target/own-target.ts';
import { readMinutes, readOptions, type VerifyArguments, type VerifyOptions } from './options.ts';
import { markdownTable, tableHead, tableRow } from './table.ts';

type Print = (line: string) => void;

/**
 * The `leque verify` command.
 * @returns the exit code of the process: 1 when anything was violated
 */
export async function verify(given: VerifyArguments, startedByNpm: boolean): Promise<number> {
  const print = printer(given.json);
  const scenarios = scenariosFor(given);
  const options = readOptions(given, scenarios);
  if (given.list) {
    for (const { name, about } of scenarios) print(`${name.padEnd(18)} ${about}`);
    return 0;
  }
  using interruption = new Interruption(startedByNpm);
  const results: ScenarioResult[] = [];
  const { signal } = interruption;
  const tell = (result: ScenarioResult) => {
    print(tableRow(result));
    results.push(result);
  };
  print(`seed ${options.seed}\n\n${tableHead()}`);
  await Promise.race([runAll(options, tell, signal), aborted(signal)]);
  if (given.out !== undefined) await writeResults(results, given.out, print);
  if (given.json) process.stdout.write(`${JSON.stringify({ seed: options.seed, results })}\n`);
  if (signal.aborted) {
    print('\nInterrupted.');
    process.exit(INTERRUPTED_EXIT_CODE); // all child processes end with this one
  }
  const { text, exitCode } = conclude(results, options.seed);
  print(`\n${text}`);
  return exitCode;
}

/** Reports each result as soon as its scenario is over. */
async function runAll(
  options: VerifyOptions,
  tell: (result: ScenarioResult) => void,
  signal: AbortSignal,
): Promise<void> {
  for (const scenario of options.scenarios) {
    const result = await runOne(scenario, options, signal);
    if (signal.aborted) return;
    tell(result);
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

async function runOne(
  scenario: Scenario,
  options: VerifyOptions,
  signal: AbortSignal,
): Promise<ScenarioResult> {
  const { seed, existing, settings } = options;
  const reason = reasonToSkip(scenario, options);
  if (reason !== undefined) return skippedResult(scenario, seed, reason);
  const redis = scenario.redis ?? options.redis;
  await using target =
    existing === undefined
      ? await startOwnTarget({
          appendonly: false,
          redis,
          ...scenario.system,
          settings: { ...scenario.system?.settings, ...settings },
        })
      : existingTarget(existing);
  return await runScenario(scenario, { seed, target, signal });
}

function reasonToSkip(scenario: Scenario, options: VerifyOptions): string | undefined {
  const { existing, redis } = options;
  if (existing !== undefined && scenario.breaks === 'system') {
    return 'it breaks the system, which verify has not started';
  }
  // Scenarios for Sentinel or Cluster bring their own Redis; those for a single one cannot.
  if (scenario.redis === 'standalone' && redis !== 'standalone') return 'it needs a single Redis';
  return scenario.missing?.();
}

function scenariosFor({ short, soak }: VerifyArguments): readonly Scenario[] {
  if (soak !== undefined) return [soakScenario(readMinutes(soak))];
  return short ? SHORT_SCENARIOS : SCENARIOS;
}

async function writeResults(
  results: readonly ScenarioResult[],
  folder: string,
  print: Print,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'results.json'), `${JSON.stringify(results, undefined, 1)}\n`);
  await writeFile(join(folder, 'results.md'), markdownTable(results));
  print(`\n${join(folder, 'results.json')} and ${join(folder, 'results.md')}`);
}

function conclude(
  results: readonly ScenarioResult[],
  seed: number,
): { text: string; exitCode: number } {
  const deliveries = results.reduce((sum, { findings }) => sum + findings.deliveries, 0);
  if (deliveries === 0) return { text: 'Nothing was audited.', exitCode: 1 };
  const audited = `${deliveries.toLocaleString('en')} deliveries audited`;
  const broken = results.filter(({ violations }) => violations.length > 0);
  if (broken.length === 0) return { text: `${audited}: everything held.`, exitCode: 0 };
  const names = broken.map(({ scenario }) => scenario).join(',');
  return { text: `${audited}: VIOLATED. Again with --seed ${seed} --only ${names}`, exitCode: 1 };
}
