import type { CursorAnswer } from '@leque/protocol';
import { Command } from 'commander';
import type { Static } from 'typebox';
import { type ApiOptions, addApiOptions, bodyWith, openApi } from '../api/api-client.ts';
import { CommandError, EXIT, type ExitCode } from '../api/exit.ts';
import { print } from '../api/print.ts';
import { runCommand } from '../api/run-command.ts';

const EXAMPLES = `
Examples:
  leque tail project:PROJ-001 --since "$(leque cursor project:PROJ-001)"

Exit codes: 0 done; 1 refused, or the channel keeps no history; 2 wrong options;
3 no server answers.`;

/** Prints where a channel stands, from where a client can follow it. */
export function cursorCommand(): Command {
  const command = new Command('cursor')
    .description('print where a channel stands now')
    .argument('<channel>', 'channel: project:ID, user:ID or all');
  return addApiOptions(command, 'that may publish to the channel or receive from it')
    .option('--json', 'print the answer of the API as JSON')
    .addHelpText('after', EXAMPLES)
    .action((channel: string, _options, self: Command) => runCommand(() => cursor(channel, self)));
}

async function cursor(channel: string, command: Command): Promise<ExitCode> {
  const { json } = command.opts<ApiOptions>();
  const api = openApi(command, 'key');
  const answer = await api.request(`/api/channels/${encodeURIComponent(channel)}/cursor`);
  const body = bodyWith<Static<typeof CursorAnswer>>('channel', answer, api);
  if (!json && body.cursor === undefined) {
    throw new CommandError(`${channel} keeps no history, so it has no cursor`, {
      exitCode: EXIT.refused,
    });
  }
  print(json ? JSON.stringify(body) : String(body.cursor));
  return EXIT.done;
}
