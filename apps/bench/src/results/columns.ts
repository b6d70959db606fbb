import type { Setup } from '../workloads/setups.ts';
import type { FigureName } from './figures.ts';

/** The figures shown for each kind of workload, in order. */
export const COLUMNS: Readonly<Record<Setup['kind'], readonly FigureName[]>> = {
  'fan-out': [
    'deliveriesPerSecond',
    'p50Ms',
    'p99Ms',
    'p999Ms',
    'maxMs',
    'cpuUsPerDelivery',
    'redisUsPerDelivery',
    'peakRssMb',
    'eventLoopP99Ms',
  ],
  idle: [
    'kbPerConnection',
    'idleCpuPercent',
    'emptyRssMb',
    'rssMb',
    'kbPerConnectionUncollected',
    'scrapeMs',
  ],
  publish: [
    'eventsPerSecond',
    'p50Ms',
    'p99Ms',
    'p999Ms',
    'maxMs',
    'manyMs',
    'cpuUsPerEvent',
    'redisUsPerEvent',
    'rssMb',
  ],
  subscribe: ['subscribesPerSecond', 'cpuUsPerSubscribe', 'redisUsPerSubscribe'],
};

/** Additional figures of long resumes. */
export const RESUMING = ['resumeSeconds', 'resumeMbPerSecond'] as const satisfies FigureName[];

/** Additional figures of a join storm. */
export const JOINING = ['joinSeconds', 'joinsRefused'] as const satisfies FigureName[];
