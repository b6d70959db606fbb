import { access, constants, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { INTERRUPTED_EXIT_CODE, Interruption, printer } from '@leque/lab';
import { StartError } from '@leque/service';
import { compileNative } from '../load/compile-native.ts';
import { PEERS } from '../peers/index.ts';
import { reportPage } from '../report/page.ts';
import type { Results } from '../results/results.ts';
import { leque } from '../targets/leque.ts';
import type { Target } from '../targets/target.ts';
import { SMOKE_WORKLOADS, WORKLOADS } from '../workloads/workloads.ts';
import { listChoice } from './list.ts';
import { type BenchArguments, type BenchOptions, readOptions } from './options.ts';
import { runBench } from './run-bench.ts';
import { smokeProblems } from './smoke.ts';

const DEFAULT_FOLDER = 'bench-results';
const DEFAULT_REPEAT = '5';
type Print = (line: string) => void;

/**
 * The `leque bench` command.
 * @returns the exit code of the process: 1 when a run of Leque failed
 */
export async function bench(given: BenchArguments, startedByNpm: boolean): Promise<number> {
  const print = printer(given.json);
  const workloads = given.smoke ? SMOKE_WORKLOADS : WORKLOADS;
  const repeat = given.repeat ?? (given.smoke ? '1' : DEFAULT_REPEAT);
  const options = readOptions({ ...given, repeat }, { workloads, leque, peers: PEERS });
  if (given.list) {
    await listChoice(workloads, [leque, ...PEERS], print);
    return 0;
  }
  await compileNative('load'); // fails now rather than in the middle of the run
  using interruption = new Interruption(startedByNpm);
  if (given.installPeers) await installPeers(options.targets, print);
  return await measure(options, given, { signal: interruption.signal, print }); // within the scope of `interruption`
}

async function measure(
  options: BenchOptions,
  given: BenchArguments,
  { signal, print }: { signal: AbortSignal; print: Print },
): Promise<number> {
  const folder = given.out ?? (given.smoke ? undefined : DEFAULT_FOLDER);
  if (folder !== undefined) await assertWritable(folder);
  const results = await runBench(options, { signal, print, command: commandOf(given) });
  if (folder !== undefined) await writeResults(results, folder, print);
  if (given.json) process.stdout.write(`${JSON.stringify(results)}\n`);
  if (results.interrupted) {
    print('\nInterrupted.');
    process.exit(INTERRUPTED_EXIT_CODE); // aborted work may still take long
  }
  const problems = given.smoke ? smokeProblems(results) : failuresOf(results);
  for (const problem of problems) print(`FAILED  ${problem}`);
  if (given.smoke && problems.length === 0) print('\nNothing was lost.');
  return problems.length === 0 ? 0 : 1;
}

/** @throws StartError before the measurement rather than after it */
async function assertWritable(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK);
  } catch (error) {
    const reason = error instanceof Error ? error.message : error;
    throw new StartError(`--out "${folder}" cannot be written to: ${reason}`);
  }
}

async function writeResults(results: Results, folder: string, print: Print): Promise<void> {
  await writeFile(join(folder, 'results.json'), `${JSON.stringify(results)}\n`);
  await writeFile(join(folder, 'report.html'), reportPage(results));
  print(`\n${join(folder, 'results.json')} and ${join(folder, 'report.html')}`);
}

async function installPeers(targets: readonly Target[], print: Print): Promise<void> {
  for (const target of targets) {
    if ((await target.unavailable()) === undefined) continue;
    print(`Installing ${target.name}…`);
    try {
      await target.install?.();
    } catch (error) {
      print(`${target.name}: ${error instanceof Error ? error.message : error}`);
    }
  }
}

/** Only failures of Leque fail the benchmark; those of peers are rows of the table. */
function failuresOf({ workloads }: Results): string[] {
  return workloads.flatMap(({ id, cases }) =>
    cases
      .filter(({ target, verdict }) => target === leque.name && verdict === 'failed')
      .map(({ setup, step, reason }) => `${id} ${setup} ${step}: ${reason}`),
  );
}

function commandOf(given: BenchArguments): string {
  const { repeat, only, seconds, dutyCycle, peers, installPeers: install, smoke } = given;
  const options = [
    smoke && '--smoke',
    repeat && `--repeat ${repeat}`,
    only && `--only ${only}`,
    seconds && `--seconds ${seconds}`,
    dutyCycle && `--duty-cycle ${dutyCycle}`,
    peers && (peers === true ? '--peers' : `--peers ${peers}`),
    install && '--install-peers',
  ];
  return options.filter(Boolean).join(' ');
}
