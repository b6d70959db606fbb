import type { LogLevelAnswer, LogLevelChange } from '@leque/protocol';
import { Argument, Command } from 'commander';
import { type ApiOptions, addApiOptions, bodyWith, openApi } from '../api/api-client.ts';
import { EXIT, type ExitCode } from '../api/exit.ts';
import { oneLine, print } from '../api/print.ts';
import { runCommand } from '../api/run-command.ts';

/** A table of the names only, so that the help is printed without loading the protocol package. */
const LEVELS: Readonly<Record<LogLevelChange['level'], true>> = {
  fatal: true,
  error: true,
  warn: true,
  info: true,
  debug: true,
  trace: true,
  silent: true,
};

interface LogLevelOptions extends ApiOptions {
  readonly node?: string;
}

const EXAMPLES = `
Examples:
  leque log-level debug --node gateway-1     one process, until it restarts or gets another level
  leque log-level info                       all processes

Exit codes: 0 done; 1 no such process, or the token does not suffice; 2 wrong options;
3 no server answers.`;

/** Changes what running processes log. */
export function logLevelCommand(): Command {
  const command = new Command('log-level')
    .description('change what all processes log, or one of them')
    .addArgument(
      new Argument('<level>', 'least severe level that is logged').choices(Object.keys(LEVELS)),
    )
    .option('--node <id>', 'NODE_ID of one process (default: all processes)');
  return addApiOptions(command, 'with the scope admin')
    .option('--json', 'print the answer of the API as JSON')
    .addHelpText('after', EXAMPLES)
    .action((level: string, _options, self: Command) =>
      runCommand(() => changeLogLevel(level, self)),
    );
}

async function changeLogLevel(level: string, command: Command): Promise<ExitCode> {
  const { node, json } = command.opts<LogLevelOptions>();
  const api = openApi(command, 'token', 'admin');
  const answer = await api.request('/api/log-level', { level, ...(node && { node }) });
  const body = bodyWith<LogLevelAnswer>('changed', answer, api);
  print(json ? JSON.stringify(body) : `${level}: ${oneLine(body.changed.join(', '))}`);
  return EXIT.done;
}
