import { type Histogram, percentile } from './histogram.ts';
import { median, type Spread, spread } from './statistics.ts';

/** Every figure, with its label, unit and digits. */
export const FIGURES = {
  deliveriesPerSecond: { label: 'delivered', unit: '/s', digits: 0 },
  deliveredShare: { label: 'delivered of offered', unit: '%', digits: 1 },
  eventsPerSecond: { label: 'events stored', unit: '/s', digits: 0 },
  subscribesPerSecond: { label: 'subscribed', unit: '/s', digits: 0 },
  requestsPerSecond: { label: 'requests', unit: '/s', digits: 0 },
  p50Ms: { label: 'p50', unit: 'ms', digits: 2 },
  p99Ms: { label: 'p99', unit: 'ms', digits: 2 },
  p999Ms: { label: 'p99.9', unit: 'ms', digits: 2 },
  maxMs: { label: 'max', unit: 'ms', digits: 1 },
  manyMs: { label: 'to 2,000 users', unit: 'ms', digits: 1 },
  cpuUsPerDelivery: { label: 'server CPU per delivery', unit: 'µs', digits: 3 },
  redisUsPerDelivery: { label: 'Redis CPU per delivery', unit: 'µs', digits: 3 },
  cpuUsPerEvent: { label: 'server CPU per event', unit: 'µs', digits: 1 },
  redisUsPerEvent: { label: 'Redis CPU per event', unit: 'µs', digits: 1 },
  cpuUsPerSubscribe: { label: 'server CPU per subscribe', unit: 'µs', digits: 1 },
  redisUsPerSubscribe: { label: 'Redis CPU per subscribe', unit: 'µs', digits: 1 },
  serverCores: { label: 'server CPU', unit: 'cores', digits: 2 },
  redisCores: { label: 'Redis CPU', unit: 'cores', digits: 2 },
  idleCpuPercent: { label: 'CPU while idle', unit: '% of a core', digits: 2 },
  kbPerConnection: { label: 'memory per connection', unit: 'KB', digits: 2 },
  kbPerConnectionUncollected: { label: 'memory per connection before a GC', unit: 'KB', digits: 2 },
  emptyRssMb: { label: 'RSS without connections', unit: 'MB', digits: 1 },
  scrapeMs: { label: 'reading the metrics', unit: 'ms', digits: 2 },
  rssMb: { label: 'RSS', unit: 'MB', digits: 1 },
  peakRssMb: { label: 'peak RSS', unit: 'MB', digits: 1 },
  eventLoopP99Ms: { label: 'event-loop delay p99', unit: 'ms', digits: 1 },
  publishLateMs: { label: 'load generator late by', unit: 'ms', digits: 1 },
  joinSeconds: { label: 'all joined after', unit: 's', digits: 2 },
  joinsRefused: { label: 'joins refused', unit: '', digits: 0 },
  resumeSeconds: { label: 'all caught up after', unit: 's', digits: 2 },
  resumeMbPerSecond: { label: 'resumed', unit: 'MB/s', digits: 1 },
  stalledClosed: { label: 'stalled readers closed', unit: '', digits: 0 },
} as const;

export type FigureName = keyof typeof FIGURES;
/** Figures by name; those that do not apply or are unknown are left out. */
export type Figures = Partial<Record<FigureName, number>>;
export type Spreads = Partial<Record<FigureName, Spread>>;

const FIGURE_NAMES = Object.keys(FIGURES) as FigureName[];

export function latencyFigures(histogram: Histogram): Figures {
  const percentiles = { p50Ms: 0.5, p99Ms: 0.99, p999Ms: 0.999, maxMs: 1 };
  return known(
    Object.entries(percentiles).map(([name, share]) => {
      const us = percentile(histogram, share);
      return [name as FigureName, us === undefined ? undefined : us / 1000];
    }),
  );
}

export function medians(runs: readonly Figures[]): Figures {
  return known(FIGURE_NAMES.map((name) => [name, median(valuesOf(runs, name))]));
}

export function spreads(runs: readonly Figures[]): Spreads {
  const entries = FIGURE_NAMES.map((name) => [name, spread(valuesOf(runs, name))] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

/** Leaves out figures that are unknown or not finite. */
export function known(entries: readonly (readonly [FigureName, number | undefined])[]): Figures {
  return Object.fromEntries(
    entries.filter(([, value]) => value !== undefined && Number.isFinite(value)),
  );
}

function valuesOf(runs: readonly Figures[], name: FigureName): number[] {
  return runs.flatMap((figures) => figures[name] ?? []);
}
