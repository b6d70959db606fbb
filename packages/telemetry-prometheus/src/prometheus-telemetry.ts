import type {
  AuthenticationOutcomes,
  Broker,
  BrokerReadings,
  Fact,
  Telemetry,
  Transport,
} from '@leque/core';
import { Counter, Gauge, Registry } from 'prom-client';
import { addBrokerMetrics } from './broker-metrics.ts';
import { FactMetrics } from './fact-metrics.ts';
import { addFanOutMetrics, type WatchedHub } from './fan-out-metrics.ts';
import { ProcessMetrics } from './process-metrics.ts';
import {
  type AnsweredRequest,
  addHttpMetrics,
  addPublishMetrics,
  type PublishReadings,
} from './publisher-metrics.ts';
import { addReadings } from './readings.ts';

export interface PrometheusOptions {
  /** Receives every fact as well, for logs. */
  readonly next?: Telemetry;
  /** Version of the app that runs. */
  readonly version: string;
}

type WatchedTransport = Pick<Transport<never>, 'name' | 'counters'>;

export interface MetricDescription {
  readonly name: string;
  /** `counter`, `gauge` or `histogram` */
  readonly type: string;
  readonly help: string;
  readonly labelNames: readonly string[];
}

/**
 * Counts facts, and reads the plain counters of the hot path when the metrics are scraped. Each
 * instance has its own registry, so several can live in one process.
 */
export class PrometheusTelemetry implements Telemetry, Disposable {
  readonly #registry = new Registry();
  readonly #facts: FactMetrics;
  readonly #process: ProcessMetrics;
  readonly #next: Telemetry | undefined;

  constructor({ next, version }: PrometheusOptions) {
    this.#next = next;
    this.#facts = new FactMetrics(this.#registry);
    this.#process = new ProcessMetrics(this.#registry);
    new Gauge({
      name: 'leque_build_info',
      help: 'Always 1; the labels are the versions of Leque and Node.js',
      labelNames: ['version', 'node'],
      registers: [this.#registry],
    }).set({ version, node: process.versions.node }, 1);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  report(fact: Fact): void {
    this.#facts.count(fact);
    this.#next?.report(fact);
  }

  /** The metrics in the text format of Prometheus. */
  render(): Promise<string> {
    return this.#registry.metrics();
  }

  /** @param unreadiness the reasons against new traffic; empty when the process is ready */
  watchReadiness(unreadiness: () => readonly string[]): void {
    addReadings(this.#registry, [
      {
        kind: Gauge,
        name: 'leque_ready',
        help: '1 while /readyz reports that this process takes traffic, 0 otherwise',
        read: () => Number(unreadiness().length === 0),
      },
      {
        kind: Gauge,
        name: 'leque_draining',
        help: '1 from the moment that this process is about to end, 0 before',
        read: () => Number(unreadiness().includes('draining')),
      },
    ]);
  }

  /** @param readings absent for a broker inside the process, and for a publisher */
  watchBroker(broker: Pick<Broker, 'health'>, readings?: BrokerReadings): void {
    addBrokerMetrics(this.#registry, broker, readings);
  }

  watchHub(hub: WatchedHub, limits: { readonly maxConnections: number }): void {
    addFanOutMetrics(this.#registry, hub);
    addReadings(this.#registry, [
      {
        kind: Gauge,
        name: 'leque_connections_limit',
        help: 'Maximum number of connections of this node',
        read: () => limits.maxConnections,
      },
    ]);
  }

  /** Adds the counters of transports beside those that every transport has. */
  watchTransports(transports: readonly WatchedTransport[]): void {
    for (const { name: transport, counters = [] } of transports) {
      const readings = counters.map(({ name, help, read }) => {
        return { kind: Counter, name: `leque_${transport}_${name}_total`, help, read };
      });
      addReadings(this.#registry, readings);
    }
  }

  /** Watches outcomes by name: `accepted`, `grant_accepted`, or the code of the refusal. */
  watchAuthentications(outcomes: AuthenticationOutcomes): void {
    addReadings(this.#registry, [
      {
        kind: Counter,
        name: 'leque_authentications_total',
        help:
          'Tokens, API keys and grants checked, by outcome: `accepted`, `grant_accepted`, or the code of ' +
          'the refusal',
        labelNames: ['outcome'],
        read: () => Object.entries(outcomes).map(([outcome, count]) => [{ outcome }, count]),
      },
    ]);
  }

  watchPublishing(counters: PublishReadings): void {
    addPublishMetrics(this.#registry, counters);
  }

  /** @returns a function that counts one request */
  watchHttp(): (request: AnsweredRequest) => void {
    return addHttpMetrics(this.#registry);
  }

  /** All metrics, also those without values. */
  describe(): readonly MetricDescription[] {
    // Every metric has these members, although the library's type does not declare them.
    return this.#registry.getMetricsAsArray() as unknown as MetricDescription[];
  }

  [Symbol.dispose](): void {
    this.#process[Symbol.dispose]();
    this.#registry.clear();
  }
}
