// `npm run pictures -- PROMETHEUS_URL [MINUTES]`: draws every dashboard into docs/pictures with what
// that Prometheus knows of the last minutes, one for each file of infra/grafana/dashboards. It stands
// in for screenshots: the same places, questions, units and bounds, in the hand of Apache ECharts.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { init } from 'echarts';
import { dashboards } from './dashboards.mjs';

const FOLDER = join(import.meta.dirname, '../../docs/pictures');
const QUERY_TIMEOUT_MS = 10_000;
const POINTS = 80;
/** Grafana takes four scrapes for it, which are 15 s apart. */
const RATE_INTERVAL = '60s';
const CELL = { width: 64, height: 30 };
const MARGIN = 12;
const GAP = 6;
const HEADING = 64;
const LEGEND = { rows: 2, height: 15, letter: 6.2, more: 80 };
const TITLE_HEIGHT = 26;
const FONT = 'Inter, Helvetica, Arial, sans-serif';
const INK = '#24292e';
const PALE = '#7b8087';
const SIGNAL = { green: '#1a7f4b', red: '#d1222f' };
const LINES = [
  '#3274d9',
  '#e0752d',
  '#56a64b',
  '#a352cc',
  '#e5b700',
  '#0fa3a3',
  '#c4162a',
  '#8a8a8a',
];

const [url, minutes = '30'] = process.argv.slice(2);
if (url === undefined || !(Number(minutes) > 0)) {
  console.error('usage: npm run pictures -- PROMETHEUS_URL [MINUTES]');
  process.exit(2);
}
const end = Math.floor(Date.now() / 1000);
const start = end - Number(minutes) * 60;
const step = Math.ceil((end - start) / POINTS);

mkdirSync(FOLDER, { recursive: true });
for (const [file, text] of dashboards) {
  const picture = join(FOLDER, file.replace(/json$/, 'svg'));
  writeFileSync(picture, await draw(JSON.parse(text)));
  console.log(picture);
}

async function draw({ title, description, panels, templating }) {
  const bottom = Math.max(...panels.map(({ gridPos: { y, h } }) => y + h));
  const width = 24 * CELL.width + 2 * MARGIN;
  const height = HEADING + bottom * CELL.height + MARGIN;
  const shown = templating.list
    .filter(({ type }) => type === 'query')
    .map((each) => `${each.label}: All · `);
  const parts = [
    label([MARGIN, 28], title, { size: 20, weight: 600 }),
    label([MARGIN, 48], `${shown.join('')}the last ${minutes} minutes · ${description}`, {
      color: PALE,
    }),
  ];
  for (const panel of panels) parts.push(await drawPanel(panel));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="${FONT}">
<rect width="${width}" height="${height}" fill="#f4f5f5"/>
${parts.join('\n')}
</svg>
`;
}

async function drawPanel(panel) {
  const { x, y, w, h } = panel.gridPos;
  const box = {
    x: MARGIN + x * CELL.width,
    y: HEADING + y * CELL.height,
    width: w * CELL.width - GAP,
    height: h * CELL.height - GAP,
  };
  if (panel.type === 'row')
    return label([box.x, box.y + 17], panel.title, { size: 14, weight: 600 });
  const lines = (await Promise.all(panel.targets.map(linesOf))).flat();
  const content =
    panel.type === 'stat' ? drawNumber(panel, lines, box) : drawGraph(panel, lines, box);
  return `<g transform="translate(${box.x} ${box.y})">
<rect width="${box.width}" height="${box.height}" rx="2" fill="#fff" stroke="#dcdfe3"/>
${label([10, 18], panel.title, { weight: 500 })}
${content}
</g>`;
}

function drawNumber({ fieldConfig: { defaults } }, lines, box) {
  const value = lines
    .flatMap(({ points }) => points.map(([, number]) => number))
    .findLast(Number.isFinite);
  const color = SIGNAL[stepOf(defaults.thresholds, value)?.color] ?? INK;
  const text = value === undefined ? 'No data' : written(value, defaults.unit);
  return label([box.width / 2, box.height / 2 + 24], text, {
    size: 34,
    weight: 500,
    color,
    anchor: 'middle',
  });
}

function drawGraph({ fieldConfig: { defaults } }, lines, box) {
  const { unit, min, max, custom, thresholds } = defaults;
  const bound = custom.thresholdsStyle.mode === 'dashed' && thresholds?.steps.at(-1);
  const chart = init(null, null, {
    renderer: 'svg',
    ssr: true,
    width: box.width,
    height: box.height - TITLE_HEIGHT - LEGEND.rows * LEGEND.height,
  });
  chart.setOption({
    animation: false,
    color: LINES,
    textStyle: { fontFamily: FONT },
    grid: { left: 74, right: 14, top: 8, bottom: 24 },
    xAxis: {
      type: 'time',
      min: start * 1000,
      max: end * 1000,
      splitNumber: 4,
      splitLine: { show: true, lineStyle: { color: '#eee' } },
      axisLabel: { color: PALE, formatter: '{HH}:{mm}' },
    },
    yAxis: {
      type: 'value',
      min,
      max,
      splitNumber: 4,
      axisLabel: { color: PALE, formatter: (value) => written(value, unit) },
    },
    series: lines.map(({ name, points }, index) => ({
      type: 'line',
      name,
      data: points.map(([time, value]) => [time * 1000, Number.isFinite(value) ? value : null]),
      showSymbol: false,
      lineStyle: { width: 1.4 },
      areaStyle: { opacity: custom.fillOpacity / 100 },
      ...(custom.stacking.mode === 'normal' && { stack: 'all' }),
      ...(index === 0 && bound && { markLine: boundLine(bound) }),
    })),
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return `<g transform="translate(0 ${TITLE_HEIGHT})">${svg}</g>${legend(lines, box)}`;
}

/** Cuts the list of names to the room that there is. */
function legend(lines, box) {
  const bottom = box.height - LEGEND.rows * LEGEND.height;
  const entries = [];
  let [x, row] = [10, 0];
  for (const [index, { name }] of lines.entries()) {
    const width = 26 + name.length * LEGEND.letter;
    if (row < LEGEND.rows - 1 && x + width > box.width) [x, row] = [10, row + 1];
    const isLastRow = row === LEGEND.rows - 1;
    const y = bottom + row * LEGEND.height;
    if (isLastRow && x + width > box.width - LEGEND.more && index < lines.length - 1) {
      entries.push(
        label([x, y + 11], `and ${lines.length - index} more`, { size: 11, color: PALE }),
      );
      break;
    }
    const color = LINES[index % LINES.length];
    entries.push(`<rect x="${x}" y="${y + 6}" width="12" height="3" fill="${color}"/>`);
    entries.push(label([x + 16, y + 11], name, { size: 11 }));
    x += width;
  }
  return entries.join('');
}

function boundLine({ value, color }) {
  return {
    silent: true,
    symbol: 'none',
    label: { show: false },
    lineStyle: { color: SIGNAL[color], type: 'dashed' },
    data: [{ yAxis: value }],
  };
}

/** The lines that are drawn of one question. @throws Error with what Prometheus says is wrong */
async function linesOf({ expr, legendFormat }) {
  const query = expr
    .replaceAll('$__rate_interval', RATE_INTERVAL)
    .replaceAll('$__interval', `${step}s`)
    .replaceAll('$node', '.*');
  const search = new URLSearchParams({ query, start, end, step });
  const signal = AbortSignal.timeout(QUERY_TIMEOUT_MS);
  const response = await fetch(`${url}/api/v1/query_range?${search}`, { signal });
  const answer = await response.json();
  if (answer.status !== 'success') throw new Error(`${query}: ${answer.error}`);
  return answer.data.result.map(({ metric, values }) => ({
    name: legendFormat.replace(/\{\{(\w+)\}\}/g, (_, name) => metric[name] ?? ''),
    points: inEveryStep(values),
  }));
}

/** With a hole where there is no value, so that no line is drawn over it. */
function inEveryStep(values) {
  const known = new Map(values.map(([time, value]) => [time, Number(value)]));
  const times = Array.from(
    { length: Math.floor((end - start) / step) + 1 },
    (_, index) => start + index * step,
  );
  return times.map((time) => [time, known.get(time) ?? Number.NaN]);
}

function stepOf(thresholds, value) {
  return thresholds?.steps.findLast((each) => each.value === null || value >= each.value);
}

function written(value, unit) {
  if (unit === 'percentunit') return `${rounded(value * 100)} %`;
  if (unit === 's') return seconds(value);
  const base = unit === 'bytes' || unit === 'Bps' ? 1024 : 1000;
  const names = base === 1024 ? ['B', 'KiB', 'MiB', 'GiB'] : ['', 'k', 'M', 'G'];
  const power = Math.min(
    names.length - 1,
    Math.max(0, Math.floor(Math.log(Math.abs(value) || 1) / Math.log(base))),
  );
  const end = { cps: '/s', reqps: '/s', Bps: '/s' }[unit] ?? '';
  const scaled = `${rounded(value / base ** power)} ${names[power]}`.trim();
  return `${scaled}${end}`;
}

function seconds(value) {
  if (value === 0) return '0 s';
  if (value < 0.001) return `${rounded(value * 1e6)} µs`;
  return value < 1 ? `${rounded(value * 1000)} ms` : `${rounded(value)} s`;
}

function rounded(value) {
  return String(Number(value.toPrecision(3)));
}

function label([x, y], text, { size = 13, weight = 400, color = INK, anchor = 'start' } = {}) {
  const escaped = text.replace(/[&<>]/g, (mark) => `&#${mark.charCodeAt(0)};`);
  return `<text x="${x}" y="${y}" font-size="${size}" font-weight="${weight}" fill="${color}" text-anchor="${anchor}">${escaped}</text>`;
}
