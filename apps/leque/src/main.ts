#!/usr/bin/env node
import { ConfigError, runProcess } from '@leque/service';
import { Command } from 'commander';
import { EXIT } from './api/api-client.ts';
import { startCluster } from './cluster/cluster.ts';
import { benchCommand } from './commands/bench.ts';
import { checkCommand } from './commands/check.ts';
import { completionCommand } from './commands/completion.ts';
import { keysCommand } from './commands/keys.ts';
import { logLevelCommand } from './commands/log-level.ts';
import { publishCommand } from './commands/publish.ts';
import { statsCommand } from './commands/stats.ts';
import { tailCommand } from './commands/tail.ts';
import { tokenCommand } from './commands/token.ts';
import { traceCommand } from './commands/trace.ts';
import { verifyCommand } from './commands/verify.ts';
import { readDevConfig } from './dev/config.ts';
import { startDev } from './dev/dev.ts';

const program = new Command('leque').description(
  'A pub/sub fan-out cluster for raw WebSocket and Socket.IO clients',
);

program
  .command('dev', { isDefault: true })
  .description('the whole system in one process: gateway, publisher and an embedded broker')
  .addHelpText('after', '\nExample:\n  PORT=8080 REDIS_URL=redis://localhost leque dev')
  .allowExcessArguments() // of the default command: a name that is none, told as that
  .action((_options, { args: [name] }: Command) => {
    if (name !== undefined) program.error(`error: unknown command '${name}'`);
    return runProcess(() => startDev(readDevConfig(process.env)), process.env);
  });

program
  .command('cluster')
  .description('a local cluster: Redis, three gateways and a publisher, each its own process')
  .action(() => runProcess(() => startCluster(process.env), process.env));

program.addCommand(checkCommand(process.env));
program.addCommand(keysCommand());
program.addCommand(tokenCommand(process.env));
program.addCommand(publishCommand(process.env));
program.addCommand(tailCommand(process.env));
program.addCommand(traceCommand(process.env));
program.addCommand(statsCommand(process.env));
program.addCommand(logLevelCommand(process.env));
program.addCommand(benchCommand(process.env));
program.addCommand(verifyCommand(process.env));
program.addCommand(completionCommand(program));

// Everything that is wrong with the options is 2, for scripts.
for (const command of [program, ...program.commands]) {
  command.showHelpAfterError('(--help shows all options, with examples)');
  command.exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : EXIT.usage));
}

try {
  await program.parseAsync();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = error instanceof ConfigError ? EXIT.usage : EXIT.refused;
}
