import type { GrantsAnswer } from '@leque/protocol';
import { Command, Option } from 'commander';
import type { Static } from 'typebox';
import { type ApiOptions, addApiOptions, bodyWith, openApi } from '../api/api-client.ts';
import { EXIT, type ExitCode } from '../api/exit.ts';
import { parseCount, parseIds } from '../api/parse-option.ts';
import { print } from '../api/print.ts';
import { runCommand } from '../api/run-command.ts';

interface GrantOptions extends ApiOptions {
  readonly user: string;
  readonly projects: readonly string[];
  readonly ttl?: number;
}

const EXAMPLES = `
Examples:
  leque grant --user alice --projects board:9
  leque grant --user alice --projects board:9,board:10 --ttl 60 --json     with their cursors

Exit codes: 0 done; 1 refused; 2 wrong options; 3 no server answers.`;

/** Prints grants, as an application asks for them when a user opens a room. */
export function grantCommand(): Command {
  const command = new Command('grant')
    .description('print a grant for each of some projects, which a user presents to hear it')
    .requiredOption('--user <id>', 'user that the grants are for')
    .addOption(
      new Option('--projects <ids>', 'comma-separated projects that the user may hear')
        .argParser(parseIds)
        .makeOptionMandatory(),
    )
    .addOption(
      new Option('--ttl <seconds>', 'seconds until the grants end, without it 600').argParser(
        parseCount,
      ),
    );
  return addApiOptions(command, 'with the scope grant')
    .option('--json', 'print the answer of the API as JSON, with cursors and times of expiry')
    .addHelpText('after', EXAMPLES)
    .action((_options, self: Command) => runCommand(() => grant(self)));
}

async function grant(command: Command): Promise<ExitCode> {
  const { user, projects, ttl, json } = command.opts<GrantOptions>();
  const api = openApi(command, 'key', 'grant');
  const answer = await api.request('/api/grants', { user_id: user, projects, ttl });
  const body = bodyWith<Static<typeof GrantsAnswer>>('grants', answer, api);
  print(json ? JSON.stringify(body) : body.grants.map((each) => each.grant).join('\n'));
  return EXIT.done;
}
