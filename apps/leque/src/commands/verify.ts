import type { VerifyArguments } from '@leque/verify';
import { Command } from 'commander';

const EXAMPLES = `
Examples:
  leque verify                                  the whole list, on a cluster of its own
  leque verify --only kill-gateway --seed 7     again what failed
  leque verify --only rolling-deploy --set DRAIN_GRACE=10 --set DRAIN_TIMEOUT=30
  leque verify --url http://gateway:9001 --publish-url http://publisher:9100 \\
    --secret "$JWT_SECRET" --api-key "$KEY"     on a system that runs, without harming it`;

/** Breaks a cluster under load and audits what every client has seen. */
export function verifyCommand(env: NodeJS.ProcessEnv): Command {
  return new Command('verify')
    .description('break a cluster under load, and show that no client loses anything')
    .option('--only <scenarios>', 'comma-separated, as listed')
    .option('--seed <number>', 'repeats the choices of a run')
    .option('--short', 'a quick selection, in less than two minutes')
    .option('--soak <minutes>', 'everything at random, for so long')
    .option('--redis <kind>', 'standalone, sentinel or cluster (default: standalone)')
    .option(
      '--set <variable>',
      'NAME=VALUE, of its gateways and publishers; again for more',
      gather,
    )
    .option('--url <urls>', 'gateways that run already, comma-separated; nothing of them is broken')
    .option('--publish-url <urls>', 'their publishers (default: the same)')
    .option('--secret <secret>', 'what their tokens are signed with (JWT_SECRET)')
    .option('--api-key <key>', 'what their publishers take (one of PUBLISH_API_KEYS)')
    .option('--out <folder>', 'for results.json and results.md')
    .option('--json', 'the results on the standard output, all else on the standard error')
    .option('--list', 'only list the scenarios')
    .addHelpText('after', EXAMPLES)
    .action(async (options: VerifyArguments) => {
      // Loaded here only: the other commands have no use for it.
      const { verify } = await import('@leque/verify');
      process.exitCode = await verify(options, env['npm_lifecycle_event'] !== undefined);
    });
}

function gather(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}
