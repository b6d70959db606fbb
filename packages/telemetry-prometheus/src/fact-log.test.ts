import type { Fact } from '@leque/core';
import type { FastifyBaseLogger } from 'fastify';
import { expect, test } from 'vitest';
import { logFacts } from './fact-log.ts';

/** A log that remembers at which level it was told what. */
function startLog() {
  const lines: [level: string, message: string][] = [];
  const at = (level: string) => (_details: object, message: string) =>
    void lines.push([level, message]);
  const levels = ['debug', 'info', 'warn', 'error'].map((level) => [level, at(level)]);
  const log = Object.fromEntries(levels) as unknown as FastifyBaseLogger;
  return { lines, log };
}

const refused = (code: 'overloaded' | 'draining'): Fact => ({
  type: 'connection_refused',
  transport: 'ws',
  code,
  detail: '',
});

test('facts for operators are logged as warnings, and a storm of refusals does not flood the log', () => {
  const { lines, log } = startLog();
  const telemetry = logFacts(log);
  telemetry.report({ type: 'failure', where: 'x', error: new Error('x') });
  telemetry.report({ type: 'lease_lost' });
  telemetry.report(refused('draining'));
  telemetry.report(refused('overloaded'));
  expect(lines).toEqual([
    ['error', 'failure'],
    ['warn', 'lease_lost'],
    ['info', 'connection_refused'],
    ['debug', 'connection_refused'],
  ]);
});
