import { Command } from 'commander';

const EXAMPLES = `
Examples:
  leque dev
  PORT=8080 REDIS_URL=redis://localhost leque dev

Configured by environment variables only; docs/configuration.md lists them.`;

/** Starts the whole system in this process. */
export function devCommand(env: NodeJS.ProcessEnv): Command {
  return new Command('dev')
    .description('start the whole system in one process: gateway, publisher and a broker')
    .addHelpText('after', EXAMPLES)
    .action(async () => {
      const { runProcess } = await import('@leque/service');
      await runProcess(async () => {
        const { readDevConfig } = await import('../dev/config.ts');
        const config = readDevConfig(env);
        const { startDev } = await import('../dev/dev.ts');
        return startDev(config);
      }, env);
    });
}
