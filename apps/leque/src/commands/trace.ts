import { Command } from 'commander';
import {
  API_ENVIRONMENT,
  type ApiOptions,
  addApiOptions,
  openApi,
  refusal,
  runCommand,
} from '../api/api-client.ts';

interface TraceOptions extends ApiOptions {
  readonly channel?: string;
  readonly json?: boolean;
}

const EXAMPLES = `
Examples:
  leque trace 9cbb3e04-74ab-4934-9f73-ddab6f517aa1 --token "$(leque token --user ops --scope admin)"
  leque trace MESSAGE_ID --channel project:PROJ-001     one that was published straight to Redis, or in several

Exit codes: 0 found, 1 nobody knows of it or the token is not enough, 2 wrong options, 3 nobody answers.
${API_ENVIRONMENT}`;

/** "My message did not arrive": asks the whole cluster what became of it. */
export function traceCommand(env: NodeJS.ProcessEnv): Command {
  const command = new Command('trace')
    .description('what became of a message: who got it, who did not, and why')
    .argument('<message-id>', 'as publishing answered it, or as clients see it')
    .option(
      '--channel <name>',
      'where to look for it: published straight to Redis, or in several channels',
    );
  return addApiOptions(command, 'admin')
    .option('--json', 'as the API answers')
    .addHelpText('after', EXAMPLES)
    .action((id: string, options: TraceOptions) => runCommand(() => trace(id, options, env)));
}

async function trace(id: string, options: TraceOptions, env: NodeJS.ProcessEnv): Promise<number> {
  const api = openApi(options, env, 'token');
  const query =
    options.channel === undefined ? '' : `?channel=${encodeURIComponent(options.channel)}`;
  const answer = await api.ask(`/api/messages/${encodeURIComponent(id)}/trace${query}`);
  if (answer.status !== 200) throw refusal(api, answer);
  const { explanation } = answer.body as { readonly explanation: readonly string[] };
  console.log(options.json ? JSON.stringify(answer.body, null, 2) : explanation.join('\n'));
  return 0;
}
