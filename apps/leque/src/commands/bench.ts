import type { BenchArguments } from '@leque/bench';
import { Command } from 'commander';

const EXAMPLES = `
Examples:
  leque bench --smoke                           a minute: is anything lost?
  leque bench --only W1,W2 --repeat 3
  leque bench --peers ws,nats --install-peers   beside others, in the same run
  leque bench --list                            the workloads and the peers`;

/** Measures what a gateway and a publisher can do on this machine, and peers beside them. */
export function benchCommand(env: NodeJS.ProcessEnv): Command {
  return new Command('bench')
    .description('measure fan-out, memory and publishing on this machine, on real processes')
    .option('--repeat <n>', 'repetitions of each run, of which the medians are told (default: 5)')
    .option('--only <workloads>', 'comma-separated, as listed')
    .option('--peers [names]', 'measure these too; without names, all there are')
    .option('--install-peers', 'get those that are missing')
    .option('--seconds <seconds>', 'of each run, instead of what its workload takes')
    .option('--smoke', 'small and short: fails when anything is lost')
    .option('--out <folder>', 'for results.json and report.html (default: bench-results)')
    .option('--json', 'the results on the standard output, all else on the standard error')
    .option('--list', 'only list the workloads and the peers')
    .addHelpText('after', EXAMPLES)
    .action(async (options: BenchArguments) => {
      // Loaded here only: the other commands have no use for it.
      const { bench } = await import('@leque/bench');
      process.exitCode = await bench(options, env['npm_lifecycle_event'] !== undefined);
    });
}
