import type { ScenarioResult } from '../run/result.ts';

interface Column {
  readonly head: string;
  readonly width: number;
  readonly text: (result: ScenarioResult) => string;
}

const NAME_WIDTH = 18;
const COLUMNS: readonly Column[] = [
  { head: 'events', width: 8, text: ({ events }) => count(events) },
  { head: 'deliveries', width: 11, text: ({ findings }) => count(findings.deliveries) },
  { head: 'live', width: 8, text: ({ findings }) => count(findings.live) },
  { head: 'lost', width: 6, text: ({ findings }) => count(findings.lost) },
  { head: 'doubled', width: 8, text: ({ findings }) => count(findings.duplicated) },
  { head: 'reordered', width: 10, text: ({ findings }) => count(findings.reordered) },
  { head: 'gaps', width: 6, text: ({ findings }) => count(findings.gaps) },
  { head: 'resyncs', width: 8, text: ({ findings }) => count(findings.resyncs) },
  { head: 'pause s', width: 8, text: ({ longestPauseMs }) => seconds(longestPauseMs) },
  { head: 'recov. s', width: 9, text: ({ recoveredInMs }) => seconds(recoveredInMs) },
];

/** The head of a table whose rows are printed one by one. */
export function tableHead(): string {
  const heads = COLUMNS.map(({ head, width }) => head.padStart(width));
  return ['scenario'.padEnd(NAME_WIDTH), ...heads, ' result'].join('');
}

/** A row, with notes and violations below it. */
export function tableRow(result: ScenarioResult): string {
  const name = result.scenario.padEnd(NAME_WIDTH);
  if (result.skipped !== undefined) return `${name} not run: ${result.skipped}`;
  const cells = COLUMNS.map(({ text, width }) => text(result).padStart(width));
  const held = result.violations.length === 0;
  const row = [name, ...cells, held ? ' ok' : ' VIOLATED'].join('');
  const lines = [...result.notes, ...(held ? [] : [...result.violations, ...examplesOf(result)])];
  return [row, ...lines.map((line) => `    ${line}`)].join('\n');
}

/** The table in Markdown. */
export function markdownTable(results: readonly ScenarioResult[]): string {
  const heads = ['scenario', 'seed', ...COLUMNS.map(({ head }) => head), 'result'];
  const rows = results.map((result) => {
    const { scenario, seed, skipped, violations } = result;
    const verdict =
      skipped ?? (violations.length === 0 ? 'ok' : `violated: ${violations.join('; ')}`);
    const cells =
      skipped === undefined ? COLUMNS.map(({ text }) => text(result)) : COLUMNS.map(() => '–');
    return row([scenario, String(seed), ...cells, verdict]);
  });
  const ruler = row(['---', ...heads.slice(1, -1).map(() => '---:'), '---']);
  return `${[row(heads), ruler, ...rows].join('\n')}\n`;
}

function examplesOf({ findings }: ScenarioResult): readonly string[] {
  return findings.examples.map((example) => `e.g. ${example}`);
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function count(value: number): string {
  return value.toLocaleString('en');
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}
