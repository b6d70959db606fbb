import type { DeliveryReport } from '@leque/protocol';
import { Command } from 'commander';
import { type ApiOptions, addApiOptions, bodyWith, openApi } from '../api/api-client.ts';
import { EXIT, type ExitCode } from '../api/exit.ts';
import { oneLine, print } from '../api/print.ts';
import { runCommand } from '../api/run-command.ts';

interface TraceOptions extends ApiOptions {
  readonly channel?: string;
}

const EXAMPLES = `
Examples:
  leque trace 9cbb3e04-74ab-4934-9f73-ddab6f517aa1 --token "$(leque token --user ops --scope admin)"
  leque trace MESSAGE_ID --channel project:PROJ-001

Exit codes: 0 found; 1 not found, or the token does not suffice; 2 wrong options;
3 no server answers.`;

/** Answers "my message did not arrive": asks the whole cluster what became of it. */
export function traceCommand(): Command {
  const command = new Command('trace')
    .description('explain what became of a message: who received it, who did not, and why')
    .argument('<message-id>', 'message_id, from the answer to its publisher or from a client')
    .option(
      '--channel <name>',
      'channel to search; needed for a message published straight to Redis or to several channels',
    );
  return addApiOptions(command, 'with the scope admin')
    .option('--json', 'print the answer of the API as JSON')
    .addHelpText('after', EXAMPLES)
    .action((id: string, _options, self: Command) => runCommand(() => trace(id, self)));
}

async function trace(id: string, command: Command): Promise<ExitCode> {
  const { channel, json } = command.opts<TraceOptions>();
  const api = openApi(command, 'token', 'admin');
  const query = channel === undefined ? '' : `?channel=${encodeURIComponent(channel)}`;
  const answer = await api.request(`/api/messages/${encodeURIComponent(id)}/trace${query}`);
  const body = bodyWith<DeliveryReport>('explanation', answer, api);
  print(json ? JSON.stringify(body, null, 2) : body.explanation.map(oneLine).join('\n'));
  return EXIT.done;
}
