#!/usr/bin/env node
import { runProcess } from '@leque/core';
import { Command } from 'commander';
import { benchCommand } from './bench-command.ts';
import { checkCommand } from './check-command.ts';
import { startCluster } from './cluster.ts';
import { readDevConfig } from './config.ts';
import { startDev } from './dev.ts';
import { keysCommand } from './keys-command.ts';
import { publishCommand } from './publish-command.ts';
import { makeToken, type TokenOptions } from './token.ts';
import { traceCommand } from './trace-command.ts';
import { verifyCommand } from './verify-command.ts';

const program = new Command('leque')
  .description('A pub/sub fan-out cluster for raw WebSocket and Socket.IO clients')
  .showHelpAfterError();

program
  .command('dev', { isDefault: true })
  .description('the whole system in one process: gateway, publisher and an embedded broker')
  .addHelpText('after', '\nExample:\n  PORT=8080 REDIS_URL=redis://localhost leque dev')
  .action(() => runProcess(() => startDev(readDevConfig(process.env)), process.env));

program
  .command('cluster')
  .description('a local cluster: Redis, three gateways and a publisher, each its own process')
  .action(() => runProcess(() => startCluster(process.env), process.env));

program
  .command('token')
  .description('print a token for a user')
  .requiredOption('--user <id>', 'the user')
  .option('--projects <ids>', 'comma-separated projects, or *', '')
  .option('--scope <scopes>', 'comma-separated scopes: publish, stats, admin', '')
  .option('--ttl <seconds>', 'how long it is valid', '86400')
  .addHelpText('after', '\nExample:\n  leque token --user alice --projects PROJ-001')
  .action(async (options: TokenOptions) => {
    console.log(await makeToken(options, process.env));
  });

program.addCommand(checkCommand(process.env));
program.addCommand(keysCommand());
program.addCommand(publishCommand(process.env));
program.addCommand(traceCommand(process.env));
program.addCommand(benchCommand(process.env));
program.addCommand(verifyCommand(process.env));

try {
  await program.parseAsync();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
