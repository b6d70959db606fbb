import { Command } from 'commander';
import manifest from '../package.json' with { type: 'json' };
import { EXIT } from './api/exit.ts';
import { benchCommand } from './commands/bench.ts';
import { checkCommand } from './commands/check.ts';
import { clusterCommand } from './commands/cluster.ts';
import { completionCommand } from './commands/completion.ts';
import { cursorCommand } from './commands/cursor.ts';
import { devCommand } from './commands/dev.ts';
import { grantCommand } from './commands/grant.ts';
import { keysCommand } from './commands/keys.ts';
import { logLevelCommand } from './commands/log-level.ts';
import { publishCommand } from './commands/publish.ts';
import { statsCommand } from './commands/stats.ts';
import { tailCommand } from './commands/tail.ts';
import { tokenCommand } from './commands/token.ts';
import { traceCommand } from './commands/trace.ts';
import { verifyCommand } from './commands/verify.ts';

/**
 * The whole command line. A file in commands/ imports nothing heavy: what its command runs on is
 * loaded by its action, so that no command waits for the packages of another.
 */
export function lequeProgram(env: NodeJS.ProcessEnv): Command {
  const program = new Command('leque')
    .description('A pub/sub fan-out cluster for raw WebSocket and Socket.IO clients')
    .version(manifest.version);
  const commands = [
    devCommand(env),
    clusterCommand(env),
    checkCommand(env),
    keysCommand(),
    tokenCommand(env),
    grantCommand(),
    publishCommand(),
    tailCommand(),
    cursorCommand(),
    traceCommand(),
    statsCommand(),
    logLevelCommand(),
    benchCommand(env),
    verifyCommand(env),
    completionCommand(program),
  ];
  for (const command of commands) program.addCommand(command);
  for (const command of [program, ...commands]) reportMistakes(command);
  return program;
}

/** Ends with one exit code whatever is wrong with the command line, and points to the help. */
function reportMistakes(command: Command): void {
  command.showHelpAfterError('(--help shows all options, with examples)');
  command.exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? EXIT.done : EXIT.usage));
}
