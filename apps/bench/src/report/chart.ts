import { verdictText } from '../results/format.ts';
import { type ChartRow, type Group, hasFigures } from './groups.ts';
import { element, escapeText, svgText } from './markup.ts';

/** A figure that every row has. It is drawn in a column of its own. */
export interface Panel {
  readonly title: string;
  /** Relative share of the width beside the labels. */
  readonly width: number;
  /** Draws what lies behind the rows, such as an axis. */
  readonly background: (rows: readonly ChartRow[], box: Box) => string;
  readonly row: (row: ChartRow, box: Box) => string;
}

/** A rectangle in the chart. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const WIDTH = 1120;
const LABELS = 228;
const GAP = 28;
const HEAD = 30;
const ROW = 28;
const FOOT = 20;
/** The baseline of the headings above the rows. */
export const HEAD_Y = 14;

/** Draws a group: one line for each row, one column for each panel. */
export function drawChart({ rows, title }: Group, panels: readonly Panel[]): string {
  const height = HEAD + rows.length * ROW + FOOT;
  const boxes = layOut(panels, rows.length * ROW);
  const drawn = panels.map((panel, index) => drawPanel(panel, rows, boxes[index] as Box));
  const labels = rows.map(({ label, each }, index) => {
    const className = each.target === 'leque' ? 'label own' : 'label';
    return svgText(shorten(label), { x: 0, y: middleOf(index) + 4 }, { className });
  });
  const stripes = rows.map((_, index) =>
    index % 2 === 1
      ? ''
      : element('rect', {
          class: 'stripe',
          x: -8,
          y: HEAD + index * ROW,
          width: WIDTH + 8,
          height: ROW,
          rx: 4,
        }),
  );
  const svg = element(
    'svg',
    {
      viewBox: `-8 0 ${WIDTH + 16} ${height}`,
      role: 'img',
      'aria-label': title || 'figures by rate',
    },
    ...stripes,
    ...labels,
    ...drawn,
    ...rows.map((row, index) => reasonOf(row, index)),
  );
  return `<div class="chart">${svg}</div>`;
}

function layOut(panels: readonly Panel[], height: number): Box[] {
  const total = panels.reduce((sum, { width }) => sum + width, 0);
  const room = WIDTH - LABELS - GAP * (panels.length - 1);
  let x = LABELS;
  return panels.map((panel) => {
    const width = (room * panel.width) / total;
    const box = { x, y: HEAD, width, height };
    x += width + GAP;
    return box;
  });
}

function drawPanel(panel: Panel, rows: readonly ChartRow[], box: Box): string {
  const shown = rows.filter(({ each }) => hasFigures(each));
  const head = svgText(panel.title, { x: box.x, y: HEAD_Y }, { className: 'head' });
  const background = shown.length === 0 ? '' : panel.background(shown, box);
  const drawn = rows.map((row, index) =>
    hasFigures(row.each) ? panel.row(row, { ...box, y: HEAD + index * ROW, height: ROW }) : '',
  );
  return [head, background, ...drawn].join('');
}

/** Drawn in place of figures. */
function reasonOf({ each }: ChartRow, index: number): string {
  if (hasFigures(each)) return '';
  const at = { x: LABELS, y: middleOf(index) + 4, class: `reason ${each.verdict}` };
  const text = verdictText(each.verdict, each.reason);
  return element('text', at, `<title>${escapeText(text)}</title>`, escapeText(shorten(text, 130)));
}

function middleOf(index: number): number {
  return HEAD + index * ROW + ROW / 2;
}

function shorten(text: string, length = 31): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
