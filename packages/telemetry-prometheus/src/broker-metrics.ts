import type { Broker, BrokerReadings } from '@leque/core';
import { Counter, Gauge, type Registry } from 'prom-client';
import { addHistograms, addReadings } from './readings.ts';

/** How this process stands with its broker. */
export function addBrokerMetrics(
  registry: Registry,
  broker: Pick<Broker, 'health'>,
  readings: BrokerReadings | undefined,
): void {
  addReadings(registry, [
    {
      kind: Gauge,
      name: 'leque_broker_healthy',
      help: '1 while this process can publish and receive publications, else 0',
      read: () => Number(broker.health().ok),
    },
  ]);
  if (readings === undefined) return;
  addReadings(registry, [
    {
      kind: Counter,
      name: 'leque_probes_missed_total',
      help: 'Probes that a node published to itself and did not get back within a second',
      read: () => readings.probesMissed,
    },
    {
      kind: Gauge,
      name: 'leque_lease_age_seconds',
      help: 'Since this node renewed the lease under which it is counted; 8 is too old',
      read: () => readings.leaseAgeMs() / 1000,
    },
  ]);
  addHistograms(registry, [
    {
      name: 'leque_probe_round_trip_seconds',
      help: 'From when a probe is published until it comes back through the subscription',
      read: () => readings.probeSeconds,
    },
  ]);
}
