import type { Fact } from '@leque/core';
import { Counter, type Registry } from 'prom-client';

type FactOf<T extends Fact['type']> = Extract<Fact, { type: T }>;
/** A new type of fact does not compile until somebody has said what is counted of it. */
type Counting = { readonly [T in Fact['type']]: (fact: FactOf<T>) => void };

/**
 * Counts facts. Labels have few values: a transport, a code. Channels, users and sessions never
 * are one, because every value is a series that Prometheus keeps.
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
  const counter = <L extends string = never>(name: string, help: string, labelNames: L[] = []) =>
    new Counter<L>({ name: `leque_${name}_total`, help, labelNames, registers: [registry] });
  const opened = counter('sessions_opened', 'Sessions that were opened', ['transport']);
  const closed = counter('sessions_closed', 'Sessions that ended', ['transport', 'code']);
  const refused = counter('connections_refused', 'Connections refused', ['transport', 'code']);
  const commands = counter('commands_refused', 'Commands refused', ['transport', 'code']);
  const slow = counter('slow_consumers', 'Sessions closed because they did not read');
  const dropped = counter('events_dropped', 'Events that came in and could not be read');
  const gaps = counter('gaps_filled', 'Gaps in a channel that were filled from its history');
  const filled = counter('gap_publications', 'Publications that were read to fill gaps');
  const resyncs = counter('resyncs', 'Channels whose sessions were told to fetch anew');
  const lost = counter('leases_lost', 'Times that this node was taken for dead by the cluster');
  const detours = counter(
    'direct_path_unavailable',
    'Starts without the short way to Socket.IO clients',
  );
  const limited = counter(
    'socketio_recovery_limited',
    'Starts after which Socket.IO clients cannot recover their state on every node',
  );
  const failures = counter('failures', 'Errors that are bugs or broken machines; see the log');
  const disconnections = counter('broker_disconnections', 'Times that the broker was lost');
  const connections = counter('broker_connections', 'Times that the broker was reached');
  return {
    session_opened: ({ transport }) => opened.inc({ transport }),
    session_closed: ({ transport, code }) => closed.inc({ transport, code: closeLabel(code) }),
    connection_refused: ({ transport, code }) => refused.inc({ transport, code }),
    command_refused: ({ transport, code }) => commands.inc({ transport, code }),
    slow_consumer: () => slow.inc(),
    event_dropped: () => dropped.inc(),
    gap_filled: ({ publications }) => {
      gaps.inc();
      filled.inc(publications);
    },
    resync: () => resyncs.inc(),
    broker_connected: () => connections.inc(),
    broker_disconnected: () => disconnections.inc(),
    lease_lost: () => lost.inc(),
    direct_path_unavailable: () => detours.inc(),
    recovery_limited: () => limited.inc(),
    failure: () => failures.inc(),
  };
}

/** Clients choose the code that they close with, so only those that mean something are told apart. */
function closeLabel(code: number): string {
  const isKnown = (code >= 1000 && code <= 1015) || (code >= 4000 && code <= 4029);
  return isKnown && Number.isInteger(code) ? String(code) : 'other';
}
