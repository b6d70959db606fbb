import { PROCESS_LOG_LEVELS } from '@leque/service';
import { Argument, Command } from 'commander';
import {
  API_ENVIRONMENT,
  type ApiOptions,
  addApiOptions,
  openApi,
  refusal,
  runCommand,
} from '../api/api-client.ts';

interface LogLevelOptions extends ApiOptions {
  readonly node?: string;
  readonly json?: boolean;
}

const EXAMPLES = `
Examples:
  leque log-level debug --node gateway-1     one process, until it ends or is told again
  leque log-level info                       all of them

Exit codes: 0 done, 1 nobody answered or the token is not enough, 2 wrong options, 3 nobody there.
${API_ENVIRONMENT}`;

/** Changes what running processes log. */
export function logLevelCommand(env: NodeJS.ProcessEnv): Command {
  const command = new Command('log-level')
    .description('change what all processes log, or one of them')
    .addArgument(new Argument('<level>', 'the least severe line').choices([...PROCESS_LOG_LEVELS]))
    .option('--node <id>', 'its NODE_ID; all without it');
  return addApiOptions(command, 'admin')
    .option('--json', 'as the API answers')
    .addHelpText('after', EXAMPLES)
    .action((level: string, options: LogLevelOptions) =>
      runCommand(async () => {
        const api = openApi(options, env, 'token');
        const { node } = options;
        const answer = await api.ask('/api/log-level', { level, ...(node && { node }) });
        if (answer.status !== 200) throw refusal(api, answer);
        const { changed } = answer.body as { readonly changed: readonly string[] };
        console.log(options.json ? JSON.stringify(answer.body) : `${level}: ${changed.join(', ')}`);
        return 0;
      }),
    );
}
