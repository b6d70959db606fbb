import { Command } from 'commander';

const EXAMPLES = `
Examples:
  leque cluster
  BASE_PORT=9200 DRAIN_TIMEOUT=10 leque cluster

Configured by environment variables only; docs/configuration.md lists them.`;

/** Starts a cluster of real processes on this machine. */
export function clusterCommand(env: NodeJS.ProcessEnv): Command {
  return new Command('cluster')
    .description('start a local cluster: Redis, three gateways and a publisher, one process each')
    .addHelpText('after', EXAMPLES)
    .action(async () => {
      const { runProcess } = await import('@leque/service');
      await runProcess(async () => {
        const { startCluster } = await import('../cluster/cluster.ts');
        return startCluster(env);
      }, env);
    });
}
