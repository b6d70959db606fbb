import { FIGURES, type FigureName, type Figures } from '../results/figures.ts';
import { formatFigure, verdictText } from '../results/format.ts';
import type { Verdict } from '../results/results.ts';

/** A row of the table. */
export interface Row {
  /** The repetition, e.g. `1/5`, or `median`. */
  readonly run: string;
  readonly target: string;
  readonly setup: string;
  readonly step: string;
  readonly part: string;
  readonly figures: Figures;
  readonly verdict: Verdict;
  readonly reason: string;
}

/** Widths of the columns before the figures; longer texts shift the rest of their row. */
const WIDTHS = { run: 6, target: 18, setup: 18, step: 12 } as const;
const FIGURE_WIDTH = 9;

const HEADS: Readonly<Partial<Record<FigureName, string>>> = {
  deliveriesPerSecond: 'deliv./s',
  eventsPerSecond: 'events/s',
  p50Ms: 'p50 ms',
  p99Ms: 'p99 ms',
  p999Ms: 'p99.9 ms',
  maxMs: 'max ms',
  cpuUsPerDelivery: 'CPU µs/d',
  redisUsPerDelivery: 'Redis µs',
  cpuUsPerEvent: 'CPU µs/e',
  redisUsPerEvent: 'Redis µs',
  kbPerConnection: 'KB/conn.',
  kbPerConnectionUncollected: '(no GC)',
  idleCpuPercent: 'CPU %',
  emptyRssMb: 'empty MB',
  scrapeMs: 'scrape ms',
  rssMb: 'RSS MB',
  peakRssMb: 'RSS MB',
  eventLoopP99Ms: 'loop p99',
  resumeSeconds: 'resumed s',
  resumeMbPerSecond: 'MB/s',
  joinSeconds: 'joined s',
  joinsRefused: 'refused',
};

/** A table of fixed column widths, because its rows are printed one by one. */
export class Table {
  readonly #columns: readonly FigureName[];

  constructor(columns: readonly FigureName[]) {
    this.#columns = columns;
  }

  header(): string {
    const { run, target, setup, step } = WIDTHS;
    const before = [
      'run'.padEnd(run),
      'target'.padEnd(target),
      'clients'.padEnd(setup),
      'rate'.padEnd(step),
    ];
    const heads = this.#columns.map((name) => HEADS[name] ?? FIGURES[name].label);
    return [...before, ...heads.map((head) => head.padStart(FIGURE_WIDTH)), ' result'].join(' ');
  }

  /** A failed run is shown without figures. */
  row({ run, target, setup, step, part, figures, verdict, reason }: Row): string {
    const before = [
      run.padEnd(WIDTHS.run),
      target.padEnd(WIDTHS.target),
      (part || setup).padEnd(WIDTHS.setup),
      step.padEnd(WIDTHS.step),
    ];
    const result = ` ${verdictText(verdict, reason)}`;
    if (verdict === 'failed' || verdict === 'unavailable') return [...before, result].join(' ');
    const shown = this.#columns.map((name) => formatFigure(name, figures[name]));
    return [...before, ...shown.map((text) => text.padStart(FIGURE_WIDTH)), result].join(' ');
  }
}
