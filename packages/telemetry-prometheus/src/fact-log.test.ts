import type { Fact } from '@leque/core';
import { FakeClock } from '@leque/testkit/fakes';
import type { FastifyBaseLogger } from 'fastify';
import { expect, test } from 'vitest';
import { logFacts } from './fact-log.ts';

/** A fact log on a logger that remembers what was logged at which level. */
function startLog(enabled: readonly string[] = ['debug', 'info', 'warn', 'error']) {
  const lines: [level: string, message: string, details: object][] = [];
  const at = (level: string) => (details: object, message: string) =>
    void lines.push([level, message, details]);
  const levels = ['debug', 'info', 'warn', 'error'].map((level) => [level, at(level)]);
  const clock = new FakeClock();
  const logger = {
    ...Object.fromEntries(levels),
    isLevelEnabled: (level: string) => enabled.includes(level),
  };
  const log = logFacts(logger as unknown as FastifyBaseLogger, clock);
  return { lines, log, clock, report: (fact: Fact) => log.report(fact) };
}

const refused = (code: 'overloaded' | 'draining', detail = ''): Fact => ({
  type: 'connection_refused',
  transport: 'ws',
  code,
  detail,
});

test('facts for operators are logged as warnings, and those of newcomers in a storm for debugging only', () => {
  const { lines, report } = startLog();
  report({ type: 'failure', where: 'x', error: new Error('x') });
  report({ type: 'lease_lost' });
  report(refused('draining'));
  report(refused('overloaded'));
  expect(lines.map(([level, message]) => [level, message])).toEqual([
    ['error', 'failure'],
    ['warn', 'lease_lost'],
    ['info', 'connection_refused'],
    ['debug', 'connection_refused'],
  ]);
});

test('the details of a fact below the log level are not read', () => {
  const { lines, log } = startLog(['warn', 'error']);
  const unread = { type: 'session_opened', transport: 'ws', sessionId: 's' } as const;
  log.report({
    ...unread,
    get userId(): string {
      throw new Error('read');
    },
  });
  log.report({ type: 'lease_lost' });
  expect(lines.map(([, message]) => message)).toEqual(['lease_lost']);
});

test('an error is logged without what its library has put on it', () => {
  const { lines, report } = startLog();
  const error = Object.assign(new Error('WRONGPASS'), { command: { args: ['u', 'S3cr3t'] } });
  report({ type: 'failure', where: 'subscribe', error, requestId: 'r1' });
  expect(lines[0]?.[2]).toEqual({
    where: 'subscribe',
    reqId: 'r1',
    err: expect.objectContaining({ type: 'Error', message: 'WRONGPASS' }),
  });
  expect(JSON.stringify(lines)).not.toContain('S3cr3t');
});

test('foreign text in any field of a fact is cut and made inert, and loses its secrets', () => {
  const { lines, report } = startLog();
  report(refused('draining', `\u009b\u202e${'x'.repeat(15_000)}`));
  report({ type: 'broker_disconnected', detail: 'redis://u:S3cr3t@h does not answer' });
  report({ type: 'session_closed', transport: 'ws', sessionId: 's', code: 1, reason: '\u001b[2J' });
  expect(lines.map(([, , details]) => details)).toMatchObject([
    { detail: `\\u009b\\u202e${'x'.repeat(198)}…` },
    { detail: 'redis://***@h does not answer' },
    { reason: '\\u001b[2J' },
  ]);
});

test('of a thousand refusals in a second ten are logged, and a line counts the others', () => {
  const { lines, report, clock } = startLog();
  for (let count = 0; count < 1000; count += 1) report(refused('draining', 'x'.repeat(15_000)));
  report(refused('overloaded'));
  expect(lines).toHaveLength(11);
  clock.advance(1000);
  expect(lines.at(-1)).toEqual([
    'info',
    'connection_refused',
    { transport: 'ws', code: 'draining', suppressed: 990 },
  ]);
  expect(lines).toHaveLength(12);
  expect(JSON.stringify(lines).length).toBeLessThan(6000);
  report(refused('draining'));
  clock.advance(1000);
  expect(lines).toHaveLength(13);
});
