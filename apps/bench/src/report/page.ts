import { COLUMNS, JOINING, RESUMING } from '../results/columns.ts';
import type { CaseResult, Results, WorkloadResult } from '../results/results.ts';
import type { Setup } from '../workloads/setups.ts';
import { drawChart } from './chart.ts';
import { groupCases } from './groups.ts';
import { escapeText } from './markup.ts';
import { panelsOf } from './panels.ts';
import { STYLE } from './style.ts';
import { figuresTable, glanceTable } from './tables.ts';

const SMOKE_NOTE =
  'These are the small workloads of --smoke, which check for losses and not for speed.';

/** Renders a self-contained HTML page. */
export function reportPage(results: Results): string {
  const { workloads, environment } = results;
  const day = results.startedAt.slice(0, 16).replace('T', ' ');
  const where = `${environment.cpu}, ${environment.cores} cores, ${environment.kernel}`;
  const body = [
    '<h1>Leque benchmark</h1>',
    `<p class="soft">${escapeText(`${day} UTC · ${where} · medians of ${runs(results.repeat)}`)}</p>`,
    ...notices(results).map((text) => `<p class="notice">${escapeText(text)}</p>`),
    `<nav>${workloads.map(({ id }) => `<a href="#${id}">${id}</a>`).join('')}` +
      '<a href="#machine">Machine</a><a href="#reading">How to read this</a>' +
      '<a href="#again">How to reproduce it</a></nav>',
    '<h2>Leque at a glance</h2>',
    glanceTable(workloads),
    ...workloads.map(workloadSection),
    machineSection(results),
    READING,
    reproduceSection(results),
  ];
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>Leque benchmark, ${escapeText(day)}</title><style>${STYLE}</style></head>`,
    `<body><main>\n${body.join('\n')}\n</main></body></html>\n`,
  ].join('\n');
}

function notices({ interrupted, command }: Results): string[] {
  return [
    ...(interrupted ? ['The benchmark was interrupted: missing workloads were not measured.'] : []),
    ...(command.includes('--smoke') ? [SMOKE_NOTE] : []),
  ];
}

function workloadSection({ id, title, about, cases }: WorkloadResult): string {
  const kind = kindOf(cases);
  const charts = groupCases(cases).map((group) => {
    const heading = group.title === '' ? '' : `<h3>${escapeText(group.title)}</h3>`;
    return heading + drawChart(group, panelsOf(kind, group.rows));
  });
  return [
    `<h2 id="${id}">${id} &ensp;${escapeText(title)}</h2><p class="soft">${escapeText(about)}</p>`,
    ...charts,
    '<details open><summary>All figures: medians, with the smallest and largest values below</summary>',
    figuresTable(cases, [
      ...COLUMNS[kind],
      ...JOINING,
      ...RESUMING,
      'stalledClosed',
      'publishLateMs',
    ]),
    '</details>',
  ].join('\n');
}

/** Derived from the figures, so that a page can be rendered from any results.json. */
function kindOf(cases: readonly CaseResult[]): Setup['kind'] {
  const has = (name: 'kbPerConnection' | 'eventsPerSecond' | 'subscribesPerSecond') =>
    cases.some(({ runs }) => runs.some(({ figures }) => figures[name] !== undefined));
  if (has('kbPerConnection')) return 'idle';
  if (has('subscribesPerSecond')) return 'subscribe';
  return has('eventsPerSecond') ? 'publish' : 'fan-out';
}

function machineSection({ environment, workloads }: Results): string {
  const { cpu, cores, memoryMb, kernel, node, redis, openFiles, commit } = environment;
  const facts = [
    ['Processor', `${cpu}, ${cores} cores`],
    ['Memory', `${(memoryMb / 1024).toFixed(1)} GB`],
    ['Kernel', kernel],
    ['Node', node],
    ['Redis', redis],
    ['Open files', `at most ${openFiles.toLocaleString('en')} for each process`],
    ['Commit', commit || 'not known'],
  ];
  return `<h2 id="machine">Machine</h2>${list(facts)}<h3>Servers</h3>${list(servers(workloads))}`;
}

/** The versions and flags of each target, from its first case. */
function servers(workloads: readonly WorkloadResult[]): string[][] {
  const cases = workloads.flatMap((workload) => workload.cases);
  const started = Map.groupBy(
    cases.filter(({ flags }) => flags !== ''),
    ({ target }) => target,
  );
  return [...started].map(([target, [first]]) => {
    const versions = Object.entries(first?.versions ?? {}).map((pair) => pair.join(' '));
    return [target, `${versions.join(', ')}: ${first?.flags}`];
  });
}

function reproduceSection({ command }: Results): string {
  const line = ['npm run bench', command].filter(Boolean).join(' -- ');
  return (
    `<h2 id="again">How to reproduce it</h2><pre>${escapeText(line)}</pre>` +
    '<p>It starts a Redis, the servers and the load generator on this machine, and writes this ' +
    'page beside <code>results.json</code>, which has every single run.</p>'
  );
}

const READING = `<h2 id="reading">How to read this</h2>${list([
  [
    'Latency',
    'From the moment at which a publication was due, not at which it was sent, until a client has ' +
      'read it: a server that falls behind cannot hide it. Percentiles are taken from the sum of ' +
      'the histograms of all clients.',
  ],
  [
    'CPU',
    'User and kernel time of the server processes while the run was measured, from /proc, over ' +
      'the deliveries in that time. The load generator and Redis share the machine.',
  ],
  ['Memory', 'The largest resident size of the server processes during the run.'],
  ['C floor', 'A program that only writes: one write for each socket and wake-up, no protocol.'],
  ['ok', 'Everything that was published arrived once and in order, at the offered rate.'],
  ['NOT HELD', 'Everything that arrived was right, but it arrived more slowly than offered.'],
  [
    'FAILED',
    'Something was lost, duplicated or out of order, or was never acknowledged: such a run has ' +
      'no figures.',
  ],
  ['not run', 'The target could not run; the reason is given.'],
])}`;

function list(facts: readonly (readonly string[])[]): string {
  const rows = facts.map(
    ([name = '', text = '']) => `<dt>${escapeText(name)}</dt><dd>${escapeText(text)}</dd>`,
  );
  return `<dl>${rows.join('\n')}</dl>`;
}

function runs(repeat: number): string {
  return repeat === 1 ? 'one run' : `${repeat} interleaved runs`;
}
