import type { Hub } from '@leque/core';
import { Counter, Gauge, type Registry } from 'prom-client';
import { addHistograms, addReadings, type Labelled, type Reading } from './readings.ts';

export type WatchedHub = Pick<Hub, 'channelCount' | 'counters'>;

/** What the hot path counts. No scrape looks at a session, so it takes as long with ten as with all. */
export function addFanOutMetrics(registry: Registry, hub: WatchedHub): void {
  addReadings(registry, [
    ...connections(hub),
    {
      kind: Gauge,
      name: 'leque_channels',
      help: 'Channels with sessions on this node',
      read: () => hub.channelCount,
    },
    ...deliveries(hub),
    {
      kind: Counter,
      name: 'leque_resumes_total',
      help:
        'Channels that clients came back to with a cursor: `recovered`, `not_recovered` as the ' +
        'history did not reach back, or `failed` as Redis did not answer',
      labelNames: ['outcome'],
      read: () =>
        Object.entries(hub.counters.resumes).map(([outcome, count]) => [{ outcome }, count]),
    },
  ]);
  addHistograms(registry, histograms(hub));
}

function connections({ counters }: WatchedHub): Reading[] {
  const byTransport = (field: 'writes' | 'bytes') => () =>
    Array.from(counters.transports, ([transport, each]) => [{ transport }, each[field]] as const);
  return [
    {
      kind: Gauge,
      name: 'leque_connections',
      help: 'Connections by transport: `opening` until they are let in, then `open`',
      labelNames: ['transport', 'state'],
      *read(): Labelled {
        for (const [transport, { opening, open }] of counters.transports) {
          yield [{ transport, state: 'opening' }, opening];
          yield [{ transport, state: 'open' }, open];
        }
      },
    },
    {
      kind: Counter,
      name: 'leque_writes_total',
      help: 'Writes to sockets, each with everything that was queued for a session',
      labelNames: ['transport'],
      read: byTransport('writes'),
    },
    {
      kind: Counter,
      name: 'leque_sent_bytes_total',
      help: 'Bytes of those writes, WebSocket frames included',
      labelNames: ['transport'],
      read: byTransport('bytes'),
    },
  ];
}

function deliveries({ counters }: WatchedHub): Reading[] {
  const counter = (name: string, help: string, read: () => number) => ({
    kind: Counter,
    name: `leque_${name}_total`,
    help,
    read,
  });
  return [
    counter(
      'publications',
      'Publications that reached this node for its sessions',
      () => counters.publications,
    ),
    counter('messages_sent', 'Messages queued for sessions', () => counters.messagesSent),
    counter(
      'messages_conflated',
      'Publications that slow clients did not get, as a newer one of the same key took their place',
      () => counters.conflated,
    ),
    counter(
      'messages_dropped',
      'Publications that slow clients did not get, by rule, as there was no room for them',
      () => counters.dropped,
    ),
  ];
}

function histograms({ counters }: WatchedHub) {
  return [
    {
      name: 'leque_write_messages',
      help: 'Messages in one write to one socket',
      read: () => counters.writeMessages,
    },
    {
      name: 'leque_outbox_bytes',
      help: 'Bytes that waited for a session when it was written to, in the process',
      read: () => counters.outboxBytes,
    },
    {
      name: 'leque_publish_to_write_seconds',
      help:
        'From when an event was published, by its `timestamp`, to each write to a socket that ' +
        'brings it; of several, the oldest. Clocks of publishers and nodes have to agree',
      read: () => counters.publishToWriteSeconds,
    },
    {
      name: 'leque_fanout_slice_seconds',
      help: 'How long flushing kept the event loop at a time',
      read: () => counters.sliceSeconds,
    },
  ];
}
