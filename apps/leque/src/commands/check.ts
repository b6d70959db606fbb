import { Command, Option } from 'commander';
import { print } from '../api/print.ts';
import { runCommand } from '../api/run-command.ts';
import type { App } from '../check/check.ts';

interface CheckOptions {
  readonly app: App;
  readonly json?: boolean;
}

const EXAMPLES = `
Examples:
  REDIS_URL=redis://localhost JWT_SECRET=… leque check
  leque check --app publisher --json

It changes nothing but what every start does: it loads Leque's functions into Redis.
Exit codes: 0 fine, perhaps with warnings; 1 something must be changed; 2 wrong options or
configuration; 3 Redis cannot be reached, or refuses.`;

/** Checks the environment as a gateway or publisher reads it, and its Redis. */
export function checkCommand(env: NodeJS.ProcessEnv): Command {
  return new Command('check')
    .description('check the configuration in the environment, and its Redis')
    .addOption(
      new Option('--app <app>', 'app whose variables to check')
        .choices(['gateway', 'publisher'])
        .default('gateway'),
    )
    .option('--json', 'print a JSON object')
    .addHelpText('after', EXAMPLES)
    .action(({ app, json = false }: CheckOptions) =>
      runCommand(async () => {
        const { check, describe } = await import('../check/check.ts');
        const report = await check(app, env);
        print(json ? JSON.stringify(report, null, 2) : describe(report));
        return report.exitCode;
      }),
    );
}
