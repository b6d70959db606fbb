import { setTimeout as delay } from 'node:timers/promises';
import type { NodeStatus } from '@leque/service';
import { Command } from 'commander';
import {
  API_ENVIRONMENT,
  type Api,
  type ApiOptions,
  addApiOptions,
  openApi,
  refusal,
  runCommand,
} from '../api/api-client.ts';
import { positive } from '../api/arguments.ts';
import { textTable } from '../api/text-table.ts';

const DEFAULT_INTERVAL_S = '2';
const CLEAR = '\x1b[H\x1b[2J';

interface StatsOptions extends ApiOptions {
  readonly watch?: boolean;
  readonly interval: string;
  readonly json?: boolean;
}

type Node = NodeStatus & { readonly node: string };

interface Reading {
  /** On the monotonic clock. */
  readonly at: number;
  readonly stats: Readonly<Record<string, unknown>>;
  readonly nodes: readonly Node[];
  readonly silent?: number;
}

const EXAMPLES = `
Examples:
  leque stats                        the cluster, and each of its processes
  leque stats --watch                again every two seconds, with what happened between
  leque stats --watch --json         an object a line

Exit codes: 0 done, 1 refused, 2 wrong options, 3 nobody answers (with --watch: at the start).
${API_ENVIRONMENT}`;

/** How the cluster is doing, process by process. */
export function statsCommand(env: NodeJS.ProcessEnv): Command {
  const command = new Command('stats')
    .description('how the cluster and each of its processes are doing')
    .option('--watch', 'again and again, until it is stopped')
    .option('--interval <seconds>', 'between two looks', DEFAULT_INTERVAL_S);
  return addApiOptions(command, 'stats')
    .option('--json', 'as objects')
    .addHelpText('after', EXAMPLES)
    .action((options: StatsOptions) => runCommand(() => stats(options, env)));
}

async function stats(options: StatsOptions, env: NodeJS.ProcessEnv): Promise<number> {
  const api = openApi(options, env);
  const intervalMs = positive('--interval', options.interval) * 1000;
  let last: Reading | undefined;
  for (;;) {
    const reading = await readAfter(api, last);
    if (reading !== undefined) print(reading, last, options);
    last = reading ?? last;
    if (!options.watch) return 0;
    await delay(intervalMs);
  }
}

/** A cluster that does not answer for a moment is told, and asked again. */
async function readAfter(api: Api, last: Reading | undefined): Promise<Reading | undefined> {
  try {
    return await read(api);
  } catch (error) {
    if (last === undefined || !(error instanceof Error)) throw error;
    console.error(error.message);
    return undefined;
  }
}

async function read(api: Api): Promise<Reading> {
  const [stats, nodes] = await Promise.all([api.ask('/api/ws/stats'), api.ask('/api/nodes')]);
  for (const answer of [stats, nodes]) if (answer.status !== 200) throw refusal(api, answer);
  const { connections_per_project: _, ...totals } = stats.body;
  return {
    at: performance.now(),
    stats: totals,
    ...(nodes.body as unknown as Pick<Reading, 'nodes' | 'silent'>),
  };
}

function print(reading: Reading, last: Reading | undefined, { watch, json }: StatsOptions): void {
  if (json) {
    const { at: _, ...answer } = reading;
    console.log(JSON.stringify(answer));
    return;
  }
  const clear = watch && process.stdout.isTTY ? CLEAR : '';
  console.log(clear + describe(reading, last));
}

function describe({ at, stats, nodes, silent }: Reading, last: Reading | undefined): string {
  const rows = nodes.map((node) => {
    const before = last?.nodes.find((each) => each.node === node.node && each.app === node.app);
    const seconds = last === undefined ? 0 : (at - last.at) / 1000;
    const rate = (now: number | undefined, then: number | undefined) =>
      now === undefined || then === undefined || now < then || seconds === 0
        ? undefined
        : (now - then) / seconds;
    const work = node.app === 'gateway' ? 'messages_sent' : 'stored';
    return [
      node.node,
      node.app,
      node.unready.length === 0 ? 'ready' : node.unready.join('; '),
      duration(node.uptime_s),
      number(node.connections),
      number(node.channels),
      number(rate(node[work], before?.[work])),
      percent(rate(node.cpu_ms, before?.cpu_ms)),
      `${Math.round(node.rss_bytes / 1_000_000)} MB`,
    ];
  });
  const totals = Object.entries(stats).map(
    ([name, value]) => `${name.replaceAll('_', ' ')} ${number(Number(value))}`,
  );
  return [
    totals.join('   '),
    '',
    textTable(
      ['node', 'app', 'state', 'up', 'connections', 'channels', 'messages/s', 'CPU', 'memory'],
      rows,
    ),
    ...(silent ? ['', `${silent} of the processes did not answer.`] : []),
  ].join('\n');
}

function number(value: number | undefined): string {
  return value === undefined ? '' : Math.round(value).toLocaleString('en');
}

/** Milliseconds of CPU in a second, as a part of one core. */
function percent(msPerSecond: number | undefined): string {
  return msPerSecond === undefined ? '' : `${Math.round(msPerSecond / 10)} %`;
}

function duration(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}
