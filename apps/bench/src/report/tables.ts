import { FIGURES, type FigureName } from '../results/figures.ts';
import { formatCount, formatFigure, verdictText } from '../results/format.ts';
import type { CaseResult, WorkloadResult } from '../results/results.ts';
import { hasFigures } from './groups.ts';
import { escapeText } from './markup.ts';

const FLOOR = 'floor';
const NUMBERS = ['connections', 'per second', 'p50 ms', 'p99 ms', 'CPU µs each', 'KB each'];

/** All figures of every case of a workload. */
export function figuresTable(cases: readonly CaseResult[], columns: readonly FigureName[]): string {
  const used = columns.filter((name) => cases.some(({ median }) => median[name] !== undefined));
  const heads = used.map((name) => numberHead(headOf(name)));
  const head = ['target', 'clients', 'rate'].map((text) => `<th>${text}</th>`).join('');
  const floors = floorsOf(cases);
  if (floors.size > 0) heads.push(numberHead('CPU, × C floor'));
  const rows = cases.map((each) => {
    const cells = used.map((name) => figureCell(each, name));
    if (floors.size > 0) cells.push(ratioCell(each, floors.get(keyOf(each))));
    const { target, setup, step, part } = each;
    const names = [target, part || setup, step]
      .map((text) => `<td>${escapeText(text)}</td>`)
      .join('');
    return rowOf(each, `${names}${verdictCell(each)}${cells.join('')}`);
  });
  return tableOf(`${head}<th>result</th>${heads.join('')}`, rows);
}

/** Leque's main figures, one row for each case. */
export function glanceTable(workloads: readonly WorkloadResult[]): string {
  const rows = workloads.flatMap(({ id, title, cases }) =>
    cases
      .filter(({ target }) => target === 'leque')
      .map((each) => {
        const { setup, step, part, connections } = each;
        const names = [`${id}  ${title}`, part || setup, step].map(
          (text) => `<td>${escapeText(text)}</td>`,
        );
        return rowOf(
          each,
          `${names.join('')}<td class="number">${formatCount(connections)}</td>` +
            `${glanceCells(each)}${verdictCell(each)}`,
        );
      }),
  );
  const head = ['workload', 'clients', 'rate'].map((text) => `<th>${text}</th>`).join('');
  const numbers = NUMBERS.map(numberHead);
  return tableOf(`${head}${numbers.join('')}<th>result</th>`, rows);
}

function glanceCells({ median }: CaseResult): string {
  const perSecond = median.deliveriesPerSecond ?? median.eventsPerSecond;
  const cpu = median.cpuUsPerDelivery ?? median.cpuUsPerEvent;
  const cells = [
    perSecond === undefined ? '–' : formatCount(perSecond),
    formatFigure('p50Ms', median.p50Ms),
    formatFigure('p99Ms', median.p99Ms),
    formatFigure('cpuUsPerDelivery', cpu),
    formatFigure('kbPerConnection', median.kbPerConnection),
  ];
  return cells.map((text) => `<td class="number">${text}</td>`).join('');
}

function figureCell(each: CaseResult, name: FigureName): string {
  const value = each.median[name];
  const range = each.spread[name];
  const several = hasFigures(each) && each.runs.length > 1 && range !== undefined;
  const spread = several
    ? `<span class="spread">${range.map((end) => formatFigure(name, end)).join(' – ')}</span>`
    : '';
  return `<td class="number">${formatFigure(name, value)}${spread}</td>`;
}

/** CPU time of the floor, by the key of the cases that it is compared with. */
function floorsOf(cases: readonly CaseResult[]): Map<string, number> {
  const floors = cases.filter(({ target }) => target === FLOOR);
  return new Map(
    floors.flatMap((each) => {
      const cpu = each.median.cpuUsPerDelivery;
      return cpu === undefined ? [] : [[keyOf(each), cpu] as const];
    }),
  );
}

function keyOf({ setup, step, part }: CaseResult): string {
  return [setup, step, part].join('\0');
}

function ratioCell({ median }: CaseResult, floor: number | undefined): string {
  const cpu = median.cpuUsPerDelivery;
  const text = cpu === undefined || floor === undefined ? '–' : (cpu / floor).toFixed(2);
  return `<td class="number">${text}</td>`;
}

function verdictCell({ verdict, reason }: CaseResult): string {
  return `<td class="reason ${verdict}">${escapeText(verdictText(verdict, reason))}</td>`;
}

function rowOf({ target }: CaseResult, cells: string): string {
  return target === 'leque' ? `<tr class="own">${cells}</tr>` : `<tr>${cells}</tr>`;
}

function tableOf(head: string, rows: readonly string[]): string {
  return `<div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>${rows.join('\n')}</tbody></table></div>`;
}

function headOf(name: FigureName): string {
  const { label, unit } = FIGURES[name];
  return unit === '' ? label : `${label}, ${unit === '/s' ? 'per second' : unit}`;
}

function numberHead(text: string): string {
  return `<th class="number">${escapeText(text)}</th>`;
}
