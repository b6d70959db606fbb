import { BucketCounts } from '@leque/core';
import { Counter, type Registry } from 'prom-client';
import { addHistograms, addReadings, type Labels } from './readings.ts';

const REQUEST_BUCKETS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** Counters of a publisher since the start of the process. */
export interface PublishReadings {
  readonly stored: number;
  readonly live: number;
  readonly duplicates: number;
  readonly refused: number;
  readonly failed: number;
  /** Seconds that the broker took, by the outcome of the event. */
  readonly seconds: Readonly<Record<'stored' | 'live' | 'failed', BucketCounts>>;
}

export function addPublishMetrics(registry: Registry, counters: PublishReadings): void {
  const reading = (outcome: Exclude<keyof PublishReadings, 'seconds'>, help: string) => ({
    kind: Counter,
    name: `leque_events_${outcome}_total`,
    help,
    read: () => counters[outcome],
  });
  addReadings(registry, [
    reading('stored', 'Events stored'),
    reading('live', 'Events that were live only, sent on without being stored'),
    reading('duplicates', 'Events not stored again because their idempotency key was known'),
    reading('refused', 'Events refused because they were invalid'),
    reading('failed', 'Events that were not stored, or whose outcome is unknown'),
  ]);
  addHistograms(registry, [
    {
      name: 'leque_publish_duration_seconds',
      help: 'Time that the broker took to publish an event, by outcome (`stored`, `live`, `failed`)',
      labelNames: ['outcome'],
      read: () =>
        Object.entries(counters.seconds).map(([outcome, counts]) => [{ outcome }, counts] as const),
    },
  ]);
}

/** An HTTP request and its answer. */
export interface AnsweredRequest {
  readonly method: string;
  /** Pattern of the route, because paths contain ids; undefined when no route matched. */
  readonly route: string | undefined;
  readonly status: number;
  readonly seconds: number;
}

/** Counts of one route. */
interface RouteCounts {
  readonly durations: BucketCounts;
  /** Answers by method and status. */
  readonly answers: Map<string, { readonly labels: Labels; count: number }>;
}

/**
 * Counts requests in plain numbers, because prom-client would make a text of all labels for each request.
 * @returns a function that counts one request
 */
export function addHttpMetrics(registry: Registry): (request: AnsweredRequest) => void {
  const routes = new Map<string, RouteCounts>();
  addReadings(registry, [
    {
      kind: Counter,
      name: 'leque_http_requests_total',
      help: 'HTTP requests answered, by method, route pattern (`none` for unknown paths) and status',
      labelNames: ['method', 'route', 'status'],
      read: () =>
        [...routes.values()].flatMap(({ answers }) =>
          [...answers.values()].map(({ labels, count }) => [labels, count] as const),
        ),
    },
  ]);
  addHistograms(registry, [
    {
      name: 'leque_http_request_duration_seconds',
      help: 'HTTP request duration, by route pattern',
      labelNames: ['route'],
      read: () => [...routes].map(([route, { durations }]) => [{ route }, durations] as const),
    },
  ]);
  return (request) => countRequest(routes, request);
}

function countRequest(
  routes: Map<string, RouteCounts>,
  { method, route = 'none', status, seconds }: AnsweredRequest,
): void {
  let counts = routes.get(route);
  if (counts === undefined) {
    counts = { durations: new BucketCounts(REQUEST_BUCKETS_S), answers: new Map() };
    routes.set(route, counts);
  }
  counts.durations.observe(seconds);
  const name = `${method} ${status}`;
  const answer = counts.answers.get(name);
  if (answer !== undefined) answer.count += 1;
  else counts.answers.set(name, { labels: { method, route, status: String(status) }, count: 1 });
}
