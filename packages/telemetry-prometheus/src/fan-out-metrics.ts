import type { Hub } from '@leque/core';
import { Counter, Gauge, type Registry } from 'prom-client';
import { addHistograms, addReadings, type Labelled, type Reading } from './readings.ts';

export type WatchedHub = Pick<Hub, 'channelCount' | 'counters'>;

/** Adds counters of the hot path. A scrape visits no session, so its cost is constant. */
export function addFanOutMetrics(registry: Registry, hub: WatchedHub): void {
  addReadings(registry, [
    ...connections(hub),
    {
      kind: Gauge,
      name: 'leque_channels',
      help: 'Channels with at least one session on this node',
      read: () => hub.channelCount,
    },
    ...deliveries(hub),
    {
      kind: Counter,
      name: 'leque_resumes_total',
      help:
        'Channels resumed with a cursor, by outcome: `recovered`, `not_recovered` (the history no ' +
        'longer reaches back to the cursor) or `failed` (the channel may not be resumed, or its ' +
        'history could not be read)',
      labelNames: ['outcome'],
      read: () =>
        Object.entries(hub.counters.resumes).map(([outcome, count]) => [{ outcome }, count]),
    },
  ]);
  addHistograms(registry, histograms(hub));
}

function connections({ counters }: WatchedHub): Reading[] {
  const byTransport = (field: 'writes' | 'bytes' | 'held') => () =>
    Array.from(counters.transports, ([transport, each]) => [{ transport }, each[field]] as const);
  return [
    {
      kind: Gauge,
      name: 'leque_connections',
      help:
        'Connections by transport and state: `joining` while they wait for their client to send a ' +
        'request or a token, `opening` while they wait to be admitted, then `open`. The transport ' +
        '`http` has connections without a request under way',
      labelNames: ['transport', 'state'],
      *read(): Labelled {
        for (const [transport, { joining, opening, open }] of counters.transports) {
          yield [{ transport, state: 'joining' }, joining];
          yield [{ transport, state: 'opening' }, opening];
          yield [{ transport, state: 'open' }, open];
        }
      },
    },
    {
      kind: Counter,
      name: 'leque_writes_total',
      help: 'Writes to sockets; one write carries everything that was queued for a session',
      labelNames: ['transport'],
      read: byTransport('writes'),
    },
    {
      kind: Counter,
      name: 'leque_sent_bytes_total',
      help: 'Bytes written to sockets, with WebSocket framing',
      labelNames: ['transport'],
      read: byTransport('bytes'),
    },
    {
      kind: Counter,
      name: 'leque_clients_held_back_total',
      help: 'Times that the socket of a client was not read, because it sent more than its budget',
      labelNames: ['transport'],
      read: byTransport('held'),
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
      'Publications received by this node for its sessions',
      () => counters.publications,
    ),
    counter('messages_sent', 'Messages queued for sessions', () => counters.messagesSent),
    counter(
      'messages_conflated',
      'Messages that slow clients did not get because a newer one of the same key replaced them',
      () => counters.conflated,
    ),
    counter(
      'messages_dropped',
      'Messages that slow clients did not get because their outbox was full and a rule allows it',
      () => counters.dropped,
    ),
    counter(
      'live_messages_dropped',
      'Messages of live-only events that slow clients did not get',
      () => counters.liveDropped,
    ),
  ];
}

function histograms({ counters }: WatchedHub) {
  return [
    {
      name: 'leque_write_messages',
      help: 'Number of messages in one write to one socket',
      read: () => counters.writeMessages,
    },
    {
      name: 'leque_outbox_bytes',
      help: 'Bytes queued in the outbox of a session at the time of a write',
      read: () => counters.outboxBytes,
    },
    {
      name: 'leque_publish_to_write_seconds',
      help:
        'Time from the `timestamp` of an event to its write to a socket, for the oldest event in ' +
        'the write. The clocks of publishers and nodes must agree',
      read: () => counters.publishToWriteSeconds,
    },
    {
      name: 'leque_fanout_slice_seconds',
      help: 'Time for which one round of flushing blocked the event loop',
      read: () => counters.sliceSeconds,
    },
  ];
}
