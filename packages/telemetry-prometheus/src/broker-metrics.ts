import type { Broker, BrokerReadings } from '@leque/core';
import { Counter, Gauge, type Registry } from 'prom-client';
import { addHistograms, addReadings } from './readings.ts';

/** Adds metrics about the connection of this process to its broker. */
export function addBrokerMetrics(
  registry: Registry,
  broker: Pick<Broker, 'health'>,
  readings: BrokerReadings | undefined,
): void {
  addReadings(registry, [
    {
      kind: Gauge,
      name: 'leque_broker_healthy',
      help: '1 while this process can publish and receive publications, 0 otherwise',
      read: () => Number(broker.health().ok),
    },
  ]);
  if (readings === undefined) return;
  addReadings(registry, [
    {
      kind: Counter,
      name: 'leque_probes_missed_total',
      help: 'Probe messages of this node that did not come back from the broker within a second',
      read: () => readings.probesMissed,
    },
    {
      kind: Gauge,
      name: 'leque_lease_age_seconds',
      help: 'Seconds since this node renewed its lease in the cluster; a lease expires after 8 seconds',
      read: () => readings.leaseAgeMs() / 1000,
    },
  ]);
  addHistograms(registry, [
    {
      name: 'leque_probe_round_trip_seconds',
      help: 'Time from publishing a probe message to receiving it through the subscription',
      read: () => readings.probeSeconds,
    },
  ]);
}
