import type { NodesAnswer } from '@leque/protocol';
import { textTable } from './text-table.ts';

/** Columns of the narrowest terminal that people use; ids of processes may be longer. */
const WIDTH = 60;
const INDENT = '  ';

export interface ClusterReading {
  /** Milliseconds on the monotonic clock. */
  readonly at: number;
  /** Totals of the cluster by the names of the API. */
  readonly stats: Readonly<Record<string, unknown>>;
  readonly nodes: readonly NamedStatus[];
  /** Processes that did not answer in time; undefined where nobody knows. */
  readonly silent?: number;
}

type NamedStatus = NodesAnswer['nodes'][number];

/**
 * The reading as text for people: two lines for each process, so that they fit a narrow terminal.
 * @param last an earlier reading, for rates; without one there are none
 */
export function statsText(
  { at, stats, nodes, silent }: ClusterReading,
  last: ClusterReading | undefined,
): string {
  const totals = Object.entries(stats).map(
    ([name, value]) => `${name.replaceAll('_', ' ')} ${count(Number(value))}`,
  );
  const rates = nodes.map((node) => ratesOf(node, last, at));
  const processes = tableLines(
    ['node', 'app', 'state', 'up'],
    nodes.map(({ node, app, unready, uptime_s }) => [
      node,
      app,
      unready.length === 0 ? 'ready' : 'not ready',
      duration(uptime_s),
    ]),
  );
  const loads = tableLines(
    ['connections', 'channels', 'messages/s', 'CPU', 'memory'],
    nodes.map(({ connections, channels, rss_bytes }, index) => [
      count(connections),
      count(channels),
      count(rates[index]?.messages),
      percent(rates[index]?.cpuMs),
      `${Math.round(rss_bytes / 1_000_000)} MB`,
    ]),
  );
  const rows = processes.flatMap((line, index) => [
    line,
    `${INDENT}${loads[index] ?? ''}`,
    ...(nodes[index - 1]?.unready ?? []).flatMap(reasonLines), // after the two lines of the head
  ]);
  return [
    ...wrap(totals, '   '),
    '',
    ...rows,
    ...(silent ? ['', `${silent} of the processes did not answer.`] : []),
  ].join('\n');
}

function reasonLines(reason: string): string[] {
  return wrap(`not ready: ${reason}`.split(' '), ' ').map((line) => `${INDENT}${line}`);
}

function tableLines(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return textTable(head, rows).split('\n');
}

interface Rates {
  /** Messages a second: of a gateway to clients, of a publisher into the history. */
  readonly messages: number | undefined;
  /** Milliseconds of CPU time a second. */
  readonly cpuMs: number | undefined;
}

function ratesOf(node: NamedStatus, last: ClusterReading | undefined, at: number): Rates {
  const before = last?.nodes.find((each) => each.node === node.node && each.app === node.app);
  const seconds = last === undefined ? 0 : (at - last.at) / 1000;
  const rate = (now: number | undefined, then: number | undefined) =>
    now === undefined || then === undefined || now < then || seconds === 0
      ? undefined
      : (now - then) / seconds;
  const work = node.app === 'gateway' ? 'messages_sent' : 'stored';
  return { messages: rate(node[work], before?.[work]), cpuMs: rate(node.cpu_ms, before?.cpu_ms) };
}

/** Breaks a text into lines between its parts; a single part may be wider than a line. */
function wrap(parts: readonly string[], separator: string): string[] {
  const lines: string[] = [];
  for (const part of parts) {
    const longer = `${lines.at(-1)}${separator}${part}`;
    if (lines.length > 0 && longer.length <= WIDTH - INDENT.length)
      lines[lines.length - 1] = longer;
    else lines.push(part);
  }
  return lines;
}

function count(value: number | undefined): string {
  return value === undefined ? '' : Math.round(value).toLocaleString('en');
}

/** Milliseconds of CPU time a second as a part of one core. */
function percent(msPerSecond: number | undefined): string {
  return msPerSecond === undefined ? '' : `${Math.round(msPerSecond / 10)} %`;
}

function duration(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}
