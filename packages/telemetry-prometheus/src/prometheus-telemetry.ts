import type { Broker, Fact, Hub, Telemetry } from '@leque/core';
import { Counter, Gauge, Registry } from 'prom-client';
import { FactMetrics } from './fact-metrics.ts';
import { ProcessMetrics } from './process-metrics.ts';
import { addReadings } from './readings.ts';

export interface PrometheusOptions {
  /** Gets every fact as well, for logs. */
  readonly next?: Telemetry;
  /** Of this build of Leque. */
  readonly version: string;
}

/** What a publisher counts by itself, since the start of the process. */
export interface PublishReadings {
  readonly stored: number;
  readonly duplicates: number;
  readonly refused: number;
  readonly failed: number;
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

  watchBroker(broker: Pick<Broker, 'health'>): void {
    addReadings(this.#registry, [
      {
        kind: Gauge,
        name: 'leque_broker_healthy',
        help: '1 while this process can publish and receive publications, else 0',
        read: () => Number(broker.health().ok),
      },
    ]);
  }

  watchHub(hub: Pick<Hub, 'sessions' | 'channelCount' | 'counters'>): void {
    addReadings(this.#registry, [
      {
        kind: Gauge,
        name: 'leque_sessions',
        help: 'Open sessions',
        read: () => hub.sessions.size,
      },
      {
        kind: Gauge,
        name: 'leque_channels',
        help: 'Channels with sessions on this node',
        read: () => hub.channelCount,
      },
      {
        kind: Counter,
        name: 'leque_publications_total',
        help: 'Publications that reached this node for its sessions',
        read: () => hub.counters.publications,
      },
      {
        kind: Counter,
        name: 'leque_messages_sent_total',
        help: 'Messages queued for sessions',
        read: () => hub.counters.messagesSent,
      },
      {
        kind: Counter,
        name: 'leque_messages_left_out_total',
        help: 'Publications that clients did not get, by rule, as they read too slowly',
        read: () => hub.counters.leftOut,
      },
    ]);
  }

  watchSocketIo(writes: Readonly<{ direct: number; engine: number }>): void {
    addReadings(this.#registry, [
      {
        kind: Counter,
        name: 'leque_socketio_direct_writes_total',
        help: 'Writes straight to the sockets of Socket.IO clients',
        read: () => writes.direct,
      },
      {
        kind: Counter,
        name: 'leque_socketio_engine_writes_total',
        help: 'Writes to Socket.IO clients through Engine.IO',
        read: () => writes.engine,
      },
    ]);
  }

  watchPublishing(counters: PublishReadings): void {
    const reading = (outcome: keyof PublishReadings, help: string) => ({
      kind: Counter,
      name: `leque_events_${outcome}_total`,
      help,
      read: () => counters[outcome],
    });
    addReadings(this.#registry, [
      reading('stored', 'Events that were stored'),
      reading('duplicates', 'Events that were known by their idempotency key'),
      reading('refused', 'Events that were wrong'),
      reading('failed', 'Events that were not stored, or of which nobody knows'),
    ]);
  }

  [Symbol.dispose](): void {
    this.#process[Symbol.dispose]();
    this.#registry.clear();
  }
}
