import { setTimeout as delay } from 'node:timers/promises';
import type { NodesAnswer, Stats } from '@leque/protocol';
import { Command, Option } from 'commander';
import { type Api, type ApiOptions, addApiOptions, bodyWith, openApi } from '../api/api-client.ts';
import { CommandError, EXIT, type ExitCode, usageError } from '../api/exit.ts';
import { parsePositive } from '../api/parse-option.ts';
import { print, printError } from '../api/print.ts';
import { runCommand } from '../api/run-command.ts';
import { type ClusterReading, statsText } from '../api/stats-text.ts';

const DEFAULT_INTERVAL_S = 2;
const CLEAR = '\x1b[H\x1b[2J';

interface StatsOptions extends ApiOptions {
  readonly watch?: boolean;
  readonly interval: number;
}

const EXAMPLES = `
Examples:
  leque stats                        the cluster, and each of its processes
  leque stats --watch                again every two seconds, with rates since the last time
  leque stats --watch --json         one JSON object a line

Exit codes: 0 done; 1 refused; 2 wrong options; 3 no server answers (with --watch: at the start).`;

/** Shows how the cluster is doing, process by process. */
export function statsCommand(): Command {
  const command = new Command('stats')
    .description('show how the cluster and each of its processes are doing')
    .option('--watch', 'repeat until it is stopped')
    .addOption(
      new Option('--interval <seconds>', 'seconds between two repetitions of --watch')
        .argParser(parsePositive)
        .default(DEFAULT_INTERVAL_S),
    );
  return addApiOptions(command, 'with the scope stats')
    .option('--json', 'print JSON objects')
    .addHelpText('after', EXAMPLES)
    .action((_options, self: Command) => runCommand(() => stats(self)));
}

async function stats(command: Command): Promise<ExitCode> {
  const options = command.opts<StatsOptions>();
  if (!options.watch && command.getOptionValueSource('interval') === 'cli') {
    throw usageError(['--interval needs --watch']);
  }
  const api = openApi(command, 'key', 'stats');
  let last: ClusterReading | undefined;
  for (;;) {
    const reading = await readAfter(api, last);
    if (reading !== undefined) show(reading, last, options);
    last = reading ?? last;
    if (!options.watch) return EXIT.done;
    await delay(options.interval * 1000);
  }
}

/** After a first reading, an error is reported only, because the next request may succeed. */
async function readAfter(
  api: Api,
  last: ClusterReading | undefined,
): Promise<ClusterReading | undefined> {
  try {
    return await read(api);
  } catch (error) {
    if (last === undefined || !(error instanceof CommandError)) throw error;
    printError(error.message);
    return undefined;
  }
}

async function read(api: Api): Promise<ClusterReading> {
  const [stats, nodes] = await Promise.all([
    api.request('/api/ws/stats'),
    api.request('/api/nodes'),
  ]);
  const { connections_per_project: _, ...totals } = bodyWith<Stats>(
    'total_connections',
    stats,
    api,
  );
  const { nodes: processes, silent } = bodyWith<NodesAnswer>('nodes', nodes, api);
  return {
    at: performance.now(),
    stats: totals,
    nodes: processes,
    ...(silent !== undefined && { silent }),
  };
}

function show(
  reading: ClusterReading,
  last: ClusterReading | undefined,
  { json, watch }: StatsOptions,
): void {
  if (json) {
    const { at: _, ...answer } = reading;
    print(JSON.stringify(answer));
    return;
  }
  if (watch && process.stdout.isTTY) process.stdout.write(CLEAR);
  print(statsText(reading, last));
}
