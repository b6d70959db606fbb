import type { Fact } from '@leque/core';
import { Counter, Gauge, type Registry } from 'prom-client';

type FactOf<T extends Fact['type']> = Extract<Fact, { type: T }>;
/** Exhaustive: a new type of fact does not compile without an entry. */
type Counting = { readonly [T in Fact['type']]: (fact: FactOf<T>) => void };

/**
 * Counts facts. Labels have few values, such as a transport or a code, because Prometheus keeps a
 * series for each value. Channels, users and sessions are never labels.
 */
export class FactMetrics {
  readonly #counting: Counting;

  constructor(registry: Registry) {
    this.#counting = countingIn(registry);
  }

  count(fact: Fact): void {
    const count: (fact: never) => void = this.#counting[fact.type];
    count(fact as never);
  }
}

function countingIn(registry: Registry): Counting {
  return { ...countingClients(registry), ...countingParts(registry) };
}

function countingClients(registry: Registry) {
  const counter = countersIn(registry);
  const opened = counter('sessions_opened', 'Sessions opened', ['transport']);
  const closed = counter('sessions_closed', 'Sessions closed, by close code', [
    'transport',
    'code',
  ]);
  const refused = counter('connections_refused', 'Connections refused, by error code', [
    'transport',
    'code',
  ]);
  const commands = counter('commands_refused', 'Commands of clients refused, by error code', [
    'transport',
    'code',
  ]);
  const broken = counter(
    'refused_below_http',
    'Requests refused before they were complete, by status: 400 malformed, 408 late, 431 large head',
    ['status'],
  );
  const slow = counter('slow_consumers', 'Sessions closed because their client read too slowly');
  return {
    session_opened: ({ transport }) => opened.inc({ transport }),
    session_closed: ({ transport, code }) => closed.inc({ transport, code: closeLabel(code) }),
    connection_refused: ({ transport, code }) => refused.inc({ transport, code }),
    command_refused: ({ transport, code }) => commands.inc({ transport, code }),
    request_broken: ({ status }) => broken.inc({ status }),
    slow_consumer: () => slow.inc(),
  } satisfies Partial<Counting>;
}

function countingParts(registry: Registry) {
  const counter = countersIn(registry);
  const dropped = counter(
    'events_dropped',
    'Events from Redis dropped because they were malformed',
  );
  const gaps = counter('gaps_filled', 'Gaps in a channel that were filled from its history');
  const filled = counter('gap_publications', 'Publications read from histories to fill gaps');
  const resyncs = counter('resyncs', 'Channels whose missed publications could not be recovered');
  const lost = counter('leases_lost', 'Leases of this node that expired before their renewal');
  const degraded = degradedCounters(registry);
  const exhausted = new Gauge({
    name: 'leque_descriptors_exhausted',
    help: '1 while the process can open no more files and sockets, and refuses new connections',
    registers: [registry],
  });
  const failures = counter('failures', 'Unexpected errors; the log has their details');
  const unavailable = counter(
    'unavailable',
    'Operations that failed because the broker was away or refused; the log has the reasons',
  );
  const disconnections = counter('broker_disconnections', 'Connections to the broker lost');
  const refusals = counter('broker_refusals', 'Times that the broker began to refuse commands');
  const connections = counter('broker_connections', 'Connections to the broker established');
  return {
    event_dropped: () => dropped.inc(),
    event_unaddressed: () => {}, // reported once for each type, so that a count would say nothing
    event_misfit: () => {}, // for the same reason
    gap_filled: ({ publications }) => {
      gaps.inc();
      filled.inc(publications);
    },
    resync: () => resyncs.inc(),
    broker_connected: () => connections.inc(),
    broker_disconnected: () => disconnections.inc(),
    not_ready: () => {}, // a gauge shows it
    broker_refused: () => refusals.inc(),
    broker_serving: () => {}, // ends the above
    lease_lost: () => lost.inc(),
    descriptors_exhausted: () => exhausted.set(1),
    descriptors_available: () => exhausted.set(0),
    degraded: ({ part }) => degraded(part),
    failure: () => failures.inc(),
    unavailable: () => unavailable.inc(),
  } satisfies Partial<Counting>;
}

/** Counts by part, and under the names that the parts of Socket.IO had before. */
function degradedCounters(registry: Registry): (part: string) => void {
  const counter = countersIn(registry);
  const all = counter(
    'degraded',
    'Parts of the process that started or fell back to a reduced mode',
    ['part'],
  );
  const named: Readonly<Record<string, Counter>> = {
    socketio_direct_path: counter(
      'direct_path_unavailable',
      'Times that Socket.IO clients fell back to writes through Engine.IO',
    ),
    socketio_recovery: counter(
      'socketio_recovery_limited',
      'Starts with Socket.IO connection state recovery off or limited to one node',
    ),
  };
  return (part) => {
    all.inc({ part });
    named[part]?.inc();
  };
}

function countersIn(registry: Registry) {
  return <L extends string = never>(name: string, help: string, labelNames: L[] = []) =>
    new Counter<L>({ name: `leque_${name}_total`, help, labelNames, registers: [registry] });
}

/** Clients choose their close codes freely; unknown codes share one label to bound the series. */
function closeLabel(code: number): string {
  const isKnown = (code >= 1000 && code <= 1015) || (code >= 4000 && code <= 4029);
  return isKnown && Number.isInteger(code) ? String(code) : 'other';
}
