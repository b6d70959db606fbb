import type { BucketCounts } from '@leque/core';
import { Counter, Histogram, type Registry } from 'prom-client';
import { addHistograms, addReadings } from './readings.ts';

const REQUEST_BUCKETS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** What a publisher counts by itself, since the start of the process. */
export interface PublishReadings {
  readonly stored: number;
  readonly duplicates: number;
  readonly refused: number;
  readonly failed: number;
  /** How long the broker took, by what became of the event. */
  readonly seconds: Readonly<Record<'stored' | 'failed', BucketCounts>>;
}

export function addPublishMetrics(registry: Registry, counters: PublishReadings): void {
  const reading = (outcome: Exclude<keyof PublishReadings, 'seconds'>, help: string) => ({
    kind: Counter,
    name: `leque_events_${outcome}_total`,
    help,
    read: () => counters[outcome],
  });
  addReadings(registry, [
    reading('stored', 'Events that were stored'),
    reading('duplicates', 'Events that were known by their idempotency key'),
    reading('refused', 'Events that were wrong'),
    reading('failed', 'Events that were not stored, or of which nobody knows'),
  ]);
  addHistograms(registry, [
    {
      name: 'leque_publish_duration_seconds',
      help: 'How long Redis took to answer for an event: `stored`, or `failed`',
      labelNames: ['outcome'],
      read: () =>
        Object.entries(counters.seconds).map(([outcome, counts]) => [{ outcome }, counts] as const),
    },
  ]);
}

/** A request that was answered. */
export interface AnsweredRequest {
  readonly method: string;
  /** The route's pattern, never the path, of which there are as many as ids; undefined for none. */
  readonly route: string | undefined;
  readonly status: number;
  readonly seconds: number;
}

/** @returns counts one request */
export function addHttpMetrics(registry: Registry): (request: AnsweredRequest) => void {
  const registers = [registry];
  const requests = new Counter({
    name: 'leque_http_requests_total',
    help: 'HTTP requests that were answered, by method, pattern of the route (`none`) and status',
    labelNames: ['method', 'route', 'status'],
    registers,
  });
  const durations = new Histogram({
    name: 'leque_http_request_duration_seconds',
    help: 'How long they took',
    labelNames: ['route'],
    buckets: REQUEST_BUCKETS_S,
    registers,
  });
  return ({ method, route = 'none', status, seconds }) => {
    requests.inc({ method, route, status });
    durations.observe({ route }, seconds);
  };
}
