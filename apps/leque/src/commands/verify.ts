import type { VerifyArguments } from '@leque/verify';
import { Command, Option } from 'commander';
import { runCommand } from '../api/run-command.ts';

const EXAMPLES = `
Examples:
  leque verify                                  all scenarios, on a cluster of its own
  leque verify --only kill-gateway --seed 7     repeats one scenario with the same choices
  leque verify --only rolling-deploy --set DRAIN_GRACE=10 --set DRAIN_TIMEOUT=30
  leque verify --url http://gateway:9001 --publish-url http://publisher:9100 \\
    --secret "$JWT_SECRET" --api-key "$KEY"     on a running system, without breaking it

Exit codes: 0 nothing was violated; 1 something was, or nothing was audited; 2 wrong options.`;

/** Breaks a cluster under load and audits what every client has received. */
export function verifyCommand(env: NodeJS.ProcessEnv): Command {
  return new Command('verify')
    .description('break a cluster under load, and check that no client loses anything')
    .option('--only <scenarios>', 'comma-separated scenarios, named as in --list')
    .option('--seed <number>', 'seed of the random choices, to repeat a run (default: random)')
    .addOption(
      new Option('--short', 'run a selection that takes less than two minutes').conflicts('soak'),
    )
    .option('--soak <minutes>', 'break things at random for this long')
    .option('--redis <kind>', 'standalone, sentinel or cluster (default: standalone)')
    .option(
      '--set <variable>',
      'NAME=VALUE, a variable of its gateways and publishers; may be repeated',
      gather,
    )
    .option('--url <urls>', 'audit these running gateways, comma-separated, without breaking them')
    .option('--publish-url <urls>', 'publishers of the running system (default: as --url)')
    .option('--secret <secret>', 'secret that signs tokens of the running system (JWT_SECRET)')
    .option('--api-key <key>', 'one of the PUBLISH_API_KEYS of the running system')
    .option('--out <folder>', 'folder for results.json and results.md')
    .option('--json', 'print the results to stdout as JSON, and everything else to stderr')
    .option('--list', 'list the scenarios, and do nothing else')
    .addHelpText('after', EXAMPLES)
    .action((options: VerifyArguments) =>
      runCommand(async () => {
        const { verify } = await import('@leque/verify');
        return verify(options, env['npm_lifecycle_event'] !== undefined);
      }),
    );
}

function gather(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}
