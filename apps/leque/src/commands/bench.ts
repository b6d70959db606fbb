import type { BenchArguments } from '@leque/bench';
import { Command } from 'commander';
import { runCommand } from '../api/run-command.ts';

const EXAMPLES = `
Examples:
  leque bench --smoke                           takes a minute: is anything lost?
  leque bench --only W1,W2 --repeat 3
  leque bench --peers ws,nats --install-peers   measures other servers in the same run
  leque bench --list                            lists the workloads and the peers

Exit codes: 0 measured; 1 a run of Leque failed or lost something; 2 wrong options.`;

/** Measures what a gateway and a publisher can do on this machine, and peers beside them. */
export function benchCommand(env: NodeJS.ProcessEnv): Command {
  return new Command('bench')
    .description('measure fan-out, memory and publishing on this machine, with real processes')
    .option('--repeat <n>', 'repetitions of each run; the medians are reported (default: 5)')
    .option('--only <workloads>', 'comma-separated workloads, named as in --list')
    .option('--peers [names]', 'other servers to measure, comma-separated; all without names')
    .option('--install-peers', 'install the chosen peers that are missing')
    .option('--seconds <seconds>', 'duration of each run (default: chosen by the workload)')
    .option(
      '--duty-cycle <percent>',
      'let each server run for so much of the time, as on a slower machine',
    )
    .option('--smoke', 'run a small and short selection that fails when anything is lost')
    .option('--out <folder>', 'folder for results.json and report.html (default: bench-results)')
    .option('--json', 'print the results to stdout as JSON, and everything else to stderr')
    .option('--list', 'list the workloads and the peers, and do nothing else')
    .addHelpText('after', EXAMPLES)
    .action((options: BenchArguments) =>
      runCommand(async () => {
        const { bench } = await import('@leque/bench');
        return bench(options, env['npm_lifecycle_event'] !== undefined);
      }),
    );
}
