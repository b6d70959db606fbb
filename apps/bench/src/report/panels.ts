import type { FigureName } from '../results/figures.ts';
import { formatFigure, formatWithUnit } from '../results/format.ts';
import type { Setup } from '../workloads/setups.ts';
import { type Box, HEAD_Y, type Panel } from './chart.ts';
import type { ChartRow } from './groups.ts';
import { element, escapeText, svgText } from './markup.ts';
import { linearScale, logScale, type Scale } from './scale.ts';

const BAR = 12;
/** Width kept free beside a bar for its value. */
const VALUE_ROOM = 62;
/** Width kept free beside the latencies for p50 and p99. */
const LATENCY_ROOM = 118;
const FLOOR = 'floor';
const LATENCIES = ['p50Ms', 'p99Ms', 'p999Ms', 'maxMs'] as const;

/** The panels of a kind of workload. */
export function panelsOf(kind: Setup['kind'], rows: readonly ChartRow[]): Panel[] {
  const bar = (name: FigureName, title: string, width: number) =>
    barPanel({ name, title, width, rows });
  switch (kind) {
    case 'fan-out':
      return [
        sharePanel(1),
        latencyPanel(rows, 2.5),
        bar('cpuUsPerDelivery', 'server CPU per delivery, µs', 1.15),
        bar('peakRssMb', 'memory, MB', 0.9),
      ];
    case 'idle':
      return [
        bar('kbPerConnection', 'memory per connection, KB', 1.2),
        bar('idleCpuPercent', 'CPU, % of a core', 1),
        bar('rssMb', 'memory, MB', 0.9),
      ];
    case 'publish':
      return [
        bar('eventsPerSecond', 'events stored per second', 1.2),
        latencyPanel(rows, 2.5),
        bar('cpuUsPerEvent', 'publisher CPU per event, µs', 1.2),
        bar('redisUsPerEvent', 'Redis CPU per event, µs', 1),
      ];
    case 'subscribe':
      return [
        bar('subscribesPerSecond', 'subscribes per second', 1.2),
        bar('cpuUsPerSubscribe', 'gateway CPU per subscribe, µs', 1.2),
        bar('redisUsPerSubscribe', 'Redis CPU per subscribe, µs', 1),
      ];
  }
}

interface BarOptions {
  readonly name: FigureName;
  readonly title: string;
  readonly width: number;
  readonly rows: readonly ChartRow[];
}

/** Bars from zero, with the spread of the runs and a line at the floor. */
function barPanel({ name, title, width, rows }: BarOptions): Panel {
  const largest = rows.flatMap(({ each }) => each.spread[name]?.[1] ?? []);
  const scale = linearScale(largest);
  return {
    title,
    width,
    background(shown, box) {
      const floor = shown.find(({ each }) => each.target === FLOOR)?.each.median[name];
      const compared = name === 'cpuUsPerDelivery' && shown.length > 1;
      return floor === undefined || !compared ? '' : floorLine(scale.place(floor), box);
    },
    row({ each }, box) {
      const value = each.median[name];
      if (value === undefined)
        return svgText('–', { x: box.x, y: textY(box) }, { className: 'value' });
      const room = box.width - VALUE_ROOM;
      const length = Math.max(1, scale.place(value) * room);
      const [least = value, most = value] = each.spread[name] ?? [];
      const end = Math.max(length, scale.place(most) * room);
      return [
        barOf({ ...box, width: length }, classOf(each.target)),
        whisker(box, [scale.place(least) * room, scale.place(most) * room]),
        svgText(
          formatFigure(name, value),
          { x: box.x + end + 6, y: textY(box) },
          { className: 'value' },
        ),
      ].join('');
    },
  };
}

/** The delivered share of the offered load. */
function sharePanel(width: number): Panel {
  return {
    title: 'delivered of offered',
    width,
    background: () => '',
    row({ each }, box) {
      const room = box.width - VALUE_ROOM - 14;
      const share = Math.min(1, (each.median.deliveredShare ?? 0) / 100);
      if (each.median.deliveriesPerSecond === undefined) return '';
      const text = formatWithUnit('deliveriesPerSecond', each.median.deliveriesPerSecond);
      const className = each.verdict === 'held' ? classOf(each.target) : 'bar behind';
      return [
        barOf({ ...box, width: room }, 'track'),
        barOf({ ...box, width: Math.max(1, share * room) }, className),
        svgText(text, { x: box.x + room + 6, y: textY(box) }, { className: 'value' }),
      ].join('');
    },
  };
}

/** p50, p99, p99.9 and the maximum on one line, because their distances matter. */
function latencyPanel(rows: readonly ChartRow[], width: number): Panel {
  const values = rows.flatMap(({ each }) => LATENCIES.flatMap((name) => each.median[name] ?? []));
  const scale = logScale(values);
  return {
    title: 'latency\u2002● p50\u2002■ p99\u2002◆ p99.9\u2002❘ max',
    width,
    background(_rows, box) {
      const room = box.width - LATENCY_ROOM;
      const at = { x: box.x + room + 12, y: HEAD_Y };
      const head = svgText('p50 / p99, ms', at, { className: 'head' });
      return head + axis(scale, { ...box, width: room });
    },
    row({ each }, box) {
      const room = box.width - LATENCY_ROOM;
      const places = LATENCIES.map((name) => box.x + scale.place(each.median[name] ?? 0) * room);
      const [p50 = 0, , , most = 0] = places;
      if (each.median.p50Ms === undefined) return '';
      const y = box.y + box.height / 2;
      const text = `${formatFigure('p50Ms', each.median.p50Ms)}  /  ${formatFigure('p99Ms', each.median.p99Ms)}`;
      return element(
        'g',
        { class: classOf(each.target).replace('bar', 'latency') },
        `<title>${escapeText(latencyText(each.median))}</title>`,
        element('line', { x1: p50, y1: y, x2: most, y2: y, class: 'range' }),
        ...places.map((x, index) => marker(index, x, y)),
        svgText(text, { x: box.x + room + 12, y: textY(box) }, { className: 'value' }),
      );
    },
  };
}

function latencyText(median: ChartRow['each']['median']): string {
  const names = ['p50', 'p99', 'p99.9', 'max'];
  return LATENCIES.map((name, at) => `${names[at]} ${formatWithUnit(name, median[name])}`).join(
    ', ',
  );
}

function marker(index: number, x: number, y: number): string {
  if (index === 0) return element('circle', { cx: x, cy: y, r: 4.5 });
  if (index === 1) return element('rect', { x: x - 4, y: y - 4, width: 8, height: 8 });
  if (index === 2) return element('path', { d: `M${x} ${y - 5}l5 5l-5 5l-5 -5z` });
  return element('rect', { x: x - 1, y: y - 6, width: 2, height: 12 });
}

function axis(scale: Scale, box: Box): string {
  const lines = scale.ticks.map((tick) => {
    const x = box.x + scale.place(tick) * box.width;
    const bottom = box.y + box.height;
    return (
      element('line', { x1: x, y1: box.y, x2: x, y2: bottom, class: 'grid' }) +
      svgText(
        tick.toLocaleString('en', { maximumFractionDigits: 3 }),
        { x, y: bottom + 14 },
        { className: 'tick', anchor: 'middle' },
      )
    );
  });
  return lines.join('');
}

function floorLine(place: number, box: Box): string {
  const x = box.x + place * (box.width - VALUE_ROOM);
  const bottom = box.y + box.height;
  return (
    element('line', { x1: x, y1: box.y, x2: x, y2: bottom, class: 'floor' }) +
    svgText('C floor', { x, y: bottom + 14 }, { className: 'tick', anchor: 'middle' })
  );
}

function whisker(box: Box, [from, to]: readonly [number, number]): string {
  if (to - from < 2) return '';
  const y = box.y + box.height / 2;
  return element('line', { x1: box.x + from, y1: y, x2: box.x + to, y2: y, class: 'whisker' });
}

function barOf({ x, y, width, height }: Box, className: string): string {
  return element('rect', {
    x,
    y: y + (height - BAR) / 2,
    width,
    height: BAR,
    rx: 2,
    class: className,
  });
}

function textY({ y, height }: Box): number {
  return y + height / 2 + 4;
}

function classOf(target: string): string {
  if (target === 'leque') return 'bar own';
  return target === FLOOR ? 'bar floor-bar' : 'bar';
}
