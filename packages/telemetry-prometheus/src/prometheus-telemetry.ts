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
  /** Gets every fact as well, for logs. */
  readonly next?: Telemetry;
  /** Of this build of Leque. */
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
 * Turns facts into metrics, and reads the counters that the hot path keeps as plain integers only
 * when somebody scrapes. It has a registry of its own: several may live in one process.
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
      help: 'Always 1; the labels say what runs',
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

  /** The metrics as Prometheus reads them. */
  render(): Promise<string> {
    return this.#registry.metrics();
  }

  /** Whether a load balancer should send traffic here, see `registerOperations`. */
  watchReadiness(unreadiness: () => readonly string[]): void {
    addReadings(this.#registry, [
      {
        kind: Gauge,
        name: 'leque_ready',
        help: '1 while /readyz says that this process takes traffic, else 0',
        read: () => Number(unreadiness().length === 0),
      },
      {
        kind: Gauge,
        name: 'leque_draining',
        help: '1 once this process is about to end, and gives away what it has, else 0',
        read: () => Number(unreadiness().includes('draining')),
      },
    ]);
  }

  /** @param readings none where nothing has to be proved, as inside one process */
  watchBroker(broker: Pick<Broker, 'health'>, readings?: BrokerReadings): void {
    addBrokerMetrics(this.#registry, broker, readings);
  }

  watchHub(hub: WatchedHub, limits: { readonly maxConnections: number }): void {
    addFanOutMetrics(this.#registry, hub);
    addReadings(this.#registry, [
      {
        kind: Gauge,
        name: 'leque_connections_limit',
        help: 'Connections that this node takes at most',
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

  /** By `accepted` or the code of the refusal. */
  watchAuthentications(outcomes: AuthenticationOutcomes): void {
    addReadings(this.#registry, [
      {
        kind: Counter,
        name: 'leque_authentications_total',
        help: 'Tokens and API keys that were looked at: `accepted`, or the code of the refusal',
        labelNames: ['outcome'],
        read: () => Object.entries(outcomes).map(([outcome, count]) => [{ outcome }, count]),
      },
    ]);
  }

  watchPublishing(counters: PublishReadings): void {
    addPublishMetrics(this.#registry, counters);
  }

  /** @returns counts one request */
  watchHttp(): (request: AnsweredRequest) => void {
    return addHttpMetrics(this.#registry);
  }

  /** Every metric that there is, whether or not it has values yet. */
  describe(): readonly MetricDescription[] {
    // What the library's type of a metric does not tell: each of them has these.
    return this.#registry.getMetricsAsArray() as unknown as MetricDescription[];
  }

  [Symbol.dispose](): void {
    this.#process[Symbol.dispose]();
    this.#registry.clear();
  }
}
