import {
  constants,
  monitorEventLoopDelay,
  PerformanceObserver,
  performance,
} from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import { residentBytes } from '@leque/core';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { addReadings } from './readings.ts';

const NANOSECONDS = 1e9;
/** Each check wakes the process; Node's default of 10 ms would be half the work of an idle node. */
const DELAY_RESOLUTION_MS = 50;
const GC_BUCKETS_S = [0.001, 0.005, 0.02, 0.1, 0.5, 2];
const GC_KINDS: Readonly<Record<number, string>> = {
  [constants.NODE_PERFORMANCE_GC_MAJOR]: 'major',
  [constants.NODE_PERFORMANCE_GC_MINOR]: 'minor',
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: 'incremental',
  [constants.NODE_PERFORMANCE_GC_WEAKCB]: 'weakcb',
};

/**
 * Metrics of the process, under the names that dashboards for Node know. Not prom-client's default
 * set, which lists every open socket several times at each scrape.
 */
export class ProcessMetrics implements Disposable {
  readonly #delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
  readonly #stopGc: () => void;

  constructor(registry: Registry) {
    this.#delay.enable();
    this.#stopGc = observeGc(registry);
    addReadings(registry, [...usage(), ...eventLoop(this.#delay)]);
  }

  [Symbol.dispose](): void {
    this.#delay.disable();
    this.#stopGc();
  }
}

function usage() {
  const startedAt = (performance.timeOrigin / 1000) | 0;
  const cpuSeconds = () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  };
  return [
    gauge('process_resident_memory_bytes', 'Resident memory of the process', residentBytes),
    gauge(
      'nodejs_heap_size_used_bytes',
      'JavaScript heap in use',
      () => getHeapStatistics().used_heap_size,
    ),
    gauge(
      'nodejs_heap_size_total_bytes',
      'JavaScript heap reserved',
      () => getHeapStatistics().total_heap_size,
    ),
    gauge(
      'nodejs_external_memory_bytes',
      'Memory of buffers outside the JavaScript heap',
      () => getHeapStatistics().external_memory,
    ),
    gauge(
      'process_start_time_seconds',
      'Start time of the process in seconds since the Unix epoch',
      () => startedAt,
    ),
    {
      kind: Counter,
      name: 'process_cpu_seconds_total',
      help: 'CPU time used by the process',
      read: cpuSeconds,
    },
  ];
}

function eventLoop(delay: ReturnType<typeof monitorEventLoopDelay>) {
  let before = performance.eventLoopUtilization();
  const utilization = () => {
    const now = performance.eventLoopUtilization();
    const since = performance.eventLoopUtilization(now, before);
    before = now;
    return since.utilization;
  };
  // Read last, so that the next scrape sees what happened after this one.
  const longest = () => {
    const seconds = lateness(delay.max);
    delay.reset();
    return seconds;
  };
  const percentile = (share: number) => () => lateness(delay.percentile(share));
  return [
    gauge(
      'nodejs_eventloop_utilization',
      'Share of time that the event loop was busy since the last scrape',
      utilization,
    ),
    gauge(
      'nodejs_eventloop_lag_p50_seconds',
      'Median of event-loop lag since the last scrape',
      percentile(50),
    ),
    gauge(
      'nodejs_eventloop_lag_p99_seconds',
      '99th percentile of event-loop lag since the last scrape',
      percentile(99),
    ),
    gauge(
      'nodejs_eventloop_lag_max_seconds',
      'Maximum of event-loop lag since the last scrape',
      longest,
    ),
  ];
}

/**
 * Converts the time between two checks, in nanoseconds, to the lag in seconds: the check was due
 * one resolution after the last one.
 */
function lateness(between: number): number {
  return Math.max(0, between / NANOSECONDS - DELAY_RESOLUTION_MS / 1000);
}

function gauge(name: string, help: string, read: () => number) {
  return { kind: Gauge, name, help, read };
}

function observeGc(registry: Registry): () => void {
  const histogram = new Histogram({
    name: 'nodejs_gc_duration_seconds',
    help: 'Garbage collection pauses, by kind',
    labelNames: ['kind'],
    buckets: GC_BUCKETS_S,
    registers: [registry],
  });
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { detail, duration } = entry as typeof entry & { detail: { kind: number } };
      histogram.observe({ kind: GC_KINDS[detail.kind] ?? 'other' }, duration / 1000);
    }
  });
  observer.observe({ entryTypes: ['gc'] });
  return () => observer.disconnect();
}
