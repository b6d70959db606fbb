// The parts of Grafana's dashboard format that our dashboards need, so that each of them is a list
// of questions. https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/

const GRID_WIDTH = 24;
const SCHEMA_VERSION = 39;
const DATA_SOURCE = { type: 'prometheus', uid: '$datasource' };

/** One line of a graph: its query, and its legend. */
export const ask = (expr, legend = '') => ({ expr, legend });

/** Over time. `named` is `{ title, unit }`. */
export const graph = (named, asks, options = {}) => ({
  kind: 'timeseries',
  ...named,
  asks,
  width: 8,
  height: 8,
  ...options,
});

/** One number, as it is now. */
export const number = (named, expr, options = {}) => ({
  kind: 'stat',
  ...named,
  asks: [ask(expr)],
  width: 4,
  height: 4,
  ...options,
});

/** @param variables of the form `{ name, label, query }`, whose values are asked for */
export function dashboard({ uid, title, description, variables = [], rows }) {
  let id = 0;
  let y = 0;
  const panels = [];
  for (const { title: rowTitle, panels: row } of rows) {
    id += 1;
    panels.push({
      id,
      type: 'row',
      title: rowTitle,
      collapsed: false,
      gridPos: { x: 0, y, w: GRID_WIDTH, h: 1 },
    });
    y += 1;
    let x = 0;
    let height = 0;
    for (const each of row) {
      if (x + each.width > GRID_WIDTH) {
        x = 0;
        y += height;
        height = 0;
      }
      id += 1;
      panels.push({ id, ...panel(each), gridPos: { x, y, w: each.width, h: each.height } });
      x += each.width;
      height = Math.max(height, each.height);
    }
    y += height;
  }
  return {
    uid,
    title,
    description,
    tags: ['leque'],
    editable: false,
    graphTooltip: 1,
    schemaVersion: SCHEMA_VERSION,
    refresh: '15s',
    time: { from: 'now-1h', to: 'now' },
    links: [{ type: 'dashboards', tags: ['leque'], title: 'Leque', asDropdown: true }],
    templating: { list: [dataSource(), ...variables.map(variable)] },
    annotations: { list: [deploys()] },
    panels,
  };
}

function panel({ kind, title, unit, asks, description, red, stacked = false, max }) {
  return {
    type: kind,
    title,
    ...(description && { description }),
    datasource: DATA_SOURCE,
    fieldConfig: {
      defaults: {
        unit,
        min: 0,
        ...(max !== undefined && { max }),
        ...(red !== undefined && { thresholds: thresholds(red) }),
        custom: kind === 'timeseries' ? lines(stacked, red !== undefined) : {},
      },
      overrides: [],
    },
    options:
      kind === 'stat'
        ? {
            reduceOptions: { calcs: ['lastNotNull'] },
            colorMode: red === undefined ? 'none' : 'value',
          }
        : {
            legend: { displayMode: 'list', placement: 'bottom' },
            tooltip: { mode: 'multi', sort: 'desc' },
          },
    targets: asks.map(({ expr, legend }, index) => ({
      refId: String.fromCharCode('A'.charCodeAt(0) + index),
      datasource: DATA_SOURCE,
      expr,
      legendFormat: legend || '__auto',
    })),
  };
}

/** `red` is a bound above which something is wrong, or `{ below }`. */
function thresholds(red) {
  const steps =
    typeof red === 'number'
      ? [step('green', null), step('red', red)]
      : [step('red', null), step('green', red.below)];
  return { mode: 'absolute', steps };
}

function step(color, value) {
  return { color, value };
}

function lines(stacked, showsThreshold) {
  return {
    fillOpacity: stacked ? 30 : 5,
    stacking: { mode: stacked ? 'normal' : 'none' },
    thresholdsStyle: { mode: showsThreshold ? 'dashed' : 'off' },
  };
}

function dataSource() {
  return { name: 'datasource', label: 'Prometheus', type: 'datasource', query: 'prometheus' };
}

function variable({ name, label, query }) {
  return {
    name,
    label,
    type: 'query',
    datasource: DATA_SOURCE,
    query: { query, refId: name },
    refresh: 2,
    includeAll: true,
    multi: true,
    allValue: '.*',
    current: { text: 'All', value: '$__all' },
  };
}

/** A process that has just started. */
function deploys() {
  return {
    name: 'starts',
    datasource: DATA_SOURCE,
    enable: true,
    iconColor: 'blue',
    expr: 'changes(process_start_time_seconds{job=~"leque-.*"}[$__interval]) > 0',
    titleFormat: '{{job}} {{instance}} started',
  };
}
