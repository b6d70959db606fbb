import type { Fact, Telemetry } from '@leque/core';
import type { FastifyBaseLogger } from 'fastify';

/** Facts that an operator should look at; the other facts are logged at level `info`. */
const WARNINGS: ReadonlySet<Fact['type']> = new Set([
  'slow_consumer',
  'resync',
  'broker_disconnected',
  'lease_lost',
  'event_dropped',
  'degraded',
]);

/** Writes each fact as one structured line. Facts carry no tokens and no payloads. */
export function logFacts(log: FastifyBaseLogger): Telemetry {
  return {
    report(fact) {
      if (fact.type === 'failure') {
        const { error: err, where, requestId } = fact;
        log.error({ err, where, ...(requestId !== undefined && { reqId: requestId }) }, fact.type);
      } else {
        const { type, ...details } = fact;
        log[levelOf(fact)](details, type);
      }
    },
  };
}

function levelOf(fact: Fact): 'warn' | 'info' | 'debug' {
  // A storm of newcomers causes thousands of these refusals a second; metrics count them.
  if (fact.type === 'connection_refused' && fact.code === 'overloaded') return 'debug';
  return WARNINGS.has(fact.type) ? 'warn' : 'info';
}
