import type { Fact, Telemetry } from '@leque/core';
import type { FastifyBaseLogger } from 'fastify';

/** Facts that an operator should look at; the others are told at level `info`. */
const WARNINGS: ReadonlySet<Fact['type']> = new Set([
  'slow_consumer',
  'resync',
  'broker_disconnected',
  'lease_lost',
  'event_dropped',
  'direct_path_unavailable',
  'recovery_limited',
]);

/** Writes each fact as one structured line. Facts carry no tokens and no payloads. */
export function logFacts(log: FastifyBaseLogger): Telemetry {
  return {
    report(fact) {
      if (fact.type === 'failure') {
        log.error({ err: fact.error, where: fact.where }, fact.type);
      } else {
        const { type, ...details } = fact;
        log[WARNINGS.has(type) ? 'warn' : 'info'](details, type);
      }
    },
  };
}
