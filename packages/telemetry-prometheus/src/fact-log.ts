import { type Clock, type Fact, loggable, PlainError, type Telemetry } from '@leque/core';
import type { FastifyBaseLogger } from 'fastify';
import { LineLimit } from './line-limit.ts';

const MAX_DETAIL = 200;

/** Facts that an operator should look at; the other facts are logged at level `info`. */
const WARNINGS: ReadonlySet<Fact['type']> = new Set([
  'slow_consumer',
  'resync',
  'broker_disconnected',
  'broker_refused',
  'lease_lost',
  'event_dropped',
  'event_unaddressed',
  'event_misfit',
  'degraded',
  'not_ready',
  'unavailable',
  'descriptors_exhausted',
]);

/** Facts that clients, publishers or a broken Redis can cause as often as they like. */
const LIMITED: ReadonlySet<Fact['type']> = new Set([
  'connection_refused',
  'command_refused',
  'event_dropped',
  'failure',
  'not_ready',
  'unavailable',
]);

/** Text fields that this process itself makes, so that they are logged unchanged. */
const OWN_TEXTS: ReadonlySet<string> = new Set(['transport', 'sessionId']);

type Level = 'error' | 'warn' | 'info' | 'debug';

/** A logger that may report which levels it writes; without `isLevelEnabled` it gets all levels. */
type LeveledLogger = FastifyBaseLogger & { isLevelEnabled?(level: Level): boolean };

/**
 * Writes each fact as one structured line. Facts carry no payloads; secrets that a library repeats in
 * its errors are removed, and foreign text is cut and made inert. A storm of facts of one kind is
 * sampled: a line that counts the others follows.
 */
export function logFacts(log: LeveledLogger, clock: Clock): Telemetry {
  const limit = new LineLimit(clock);
  return {
    report(fact) {
      const level = levelOf(fact);
      if (log.isLevelEnabled?.(level) === false) return;
      if (!LIMITED.has(fact.type)) return log[level](detailsOf(fact), fact.type);
      const kind = kindOf(fact);
      const isWritten = limit.take(`${fact.type} ${Object.values(kind).join(' ')}`, (suppressed) =>
        log[level]({ ...kind, suppressed }, fact.type),
      );
      if (isWritten) log[level](detailsOf(fact), fact.type);
    },
  };
}

function levelOf(fact: Fact): Level {
  if (fact.type === 'failure') return 'error';
  // A storm of newcomers causes thousands of these refusals a second; metrics count them.
  if (fact.type === 'connection_refused' && fact.code === 'overloaded') return 'debug';
  if (fact.type === 'request_broken') return 'debug';
  return WARNINGS.has(fact.type) ? 'warn' : 'info';
}

/** The fields of a limited fact that take few values. */
function kindOf(fact: Fact): Readonly<Record<string, string>> {
  return {
    ...('transport' in fact && { transport: fact.transport }),
    ...('code' in fact && typeof fact.code === 'string' && { code: fact.code }),
    ...('where' in fact && { where: fact.where }),
  };
}

function detailsOf({ type: _, ...fields }: Fact): object {
  const entries = Object.entries(fields).map(([name, value]) => {
    if (name === 'error') return ['err', PlainError.of(value)];
    const field = name === 'requestId' ? 'reqId' : name;
    const isForeign = typeof value === 'string' && !OWN_TEXTS.has(name);
    return [field, isForeign ? loggable(value, MAX_DETAIL) : value];
  });
  return Object.fromEntries(entries);
}
