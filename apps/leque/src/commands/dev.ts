import { Command } from 'commander';

const EXAMPLES = `
Examples:
  leque dev
  PORT=8080 REDIS_URL=redis://localhost leque dev

Configured by environment variables only; docs/configuration.md lists them.
Exit codes: 0 stopped; 1 cannot start or go on, for example because a port is in use; 2 wrong
options or configuration; 3 Redis refuses Leque, for example the password or its version.`;

/** Starts the whole system in this process. */
export function devCommand(env: NodeJS.ProcessEnv): Command {
  return new Command('dev')
    .description('start the whole system in one process: gateway, publisher and a broker')
    .addHelpText('after', EXAMPLES)
    .action(async () => {
      const { runProcess } = await import('@leque/service');
      await runProcess(async () => {
        const { DevConfig, readDevConfig } = await import('../dev/config.ts');
        const config = readDevConfig(env);
        const { warnOfUnknownVariables } = await import('../check/unknown-variables.ts');
        warnOfUnknownVariables(env, Object.keys(DevConfig.properties));
        const { startDev } = await import('../dev/dev.ts');
        const { announceEnd } = await import('../dev/announce-end.ts');
        return announceEnd(await startDev(config));
      }, env);
    });
}
