import { Command } from 'commander';

const EXAMPLES = `
Examples:
  leque cluster
  PORT=9500 BASE_PORT=9200 leque cluster     one address at 9500, its processes from 9200 on

Configured by environment variables only; docs/configuration.md lists them.
Exit codes: 0 stopped; 1 cannot start or go on, for example because a port is in use or there is
no Redis; 2 wrong options or configuration; 3 Redis refuses Leque, for example the password
or its version.`;

/** Starts a cluster of real processes on this machine. */
export function clusterCommand(env: NodeJS.ProcessEnv): Command {
  return new Command('cluster')
    .description('start a local cluster: Redis, three gateways and a publisher, one process each')
    .addHelpText('after', EXAMPLES)
    .action(async () => {
      const { runProcess } = await import('@leque/service');
      await runProcess(async () => {
        const { startCluster } = await import('../cluster/cluster.ts');
        const { announceEnd } = await import('../dev/announce-end.ts');
        return announceEnd(await startCluster(env));
      }, env);
    });
}
