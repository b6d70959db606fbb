import { FakeClock, RecordingTelemetry } from '@leque/testkit/fakes';
import { expect, test } from 'vitest';
import { QuietTelemetry } from './quiet-telemetry.ts';

function start() {
  const clock = new FakeClock();
  const heard = new RecordingTelemetry();
  const telemetry = new QuietTelemetry(heard, clock);
  const fail = (message: string, where = 'write counts') => {
    const error = Object.assign(new Error(message), { name: 'ReplyError' });
    telemetry.report({ type: 'failure', where, error });
  };
  return { clock, heard, telemetry, fail };
}

const REFUSALS = [
  "OOM command not allowed when used memory > 'maxmemory'.",
  'NOREPLICAS Not enough good replicas to write.',
  "READONLY You can't write against a read only replica.",
  'BUSY Redis is busy running a script.',
  'MISCONF Errors writing to the AOF file: No space left on device',
  'LOADING Redis is loading the dataset in memory',
  'MASTERDOWN Link with MASTER is down',
  'CLUSTERDOWN The cluster is down',
];

test.each(REFUSALS)('"%s" is reported when it begins and when it is over', (message) => {
  const { clock, heard, fail } = start();
  for (let half = 0; half < 20; half += 1) {
    for (const where of ['write counts', 'totals', 'renew lease']) fail(message, where);
    clock.advance(500);
  }
  expect(heard.facts).toEqual([{ type: 'broker_refused', detail: message }]);
  clock.advance(10_000);
  expect(heard.facts.slice(1)).toEqual([{ type: 'broker_serving' }]);
  expect(clock.pending).toBe(0);
  fail(message);
  expect(heard.of('broker_refused')).toHaveLength(2);
});

test('another refusal during the first one is a change of state, too', () => {
  const { clock, heard, fail } = start();
  fail('LOADING Redis is loading');
  fail('READONLY no writes');
  clock.advance(4000);
  fail('READONLY no writes');
  clock.advance(4000);
  expect(heard.facts.map(({ type }) => type)).toEqual(['broker_refused', 'broker_refused']);
  clock.advance(6000);
  expect(heard.of('broker_serving')).toHaveLength(1);
});

test('other failures are passed on', () => {
  const { heard, fail } = start();
  fail('WRONGTYPE Operation against a key holding the wrong kind of value');
  fail('ERR unknown command');
  expect(heard.facts.map(({ type }) => type)).toEqual(['failure', 'failure']);
});

test('[LIVE] it keeps no timer after its end', () => {
  const { clock, telemetry, fail } = start();
  fail('OOM');
  telemetry.close();
  fail('OOM no memory');
  expect(clock.pending).toBe(0);
});

test.each([
  ["NOPERM this user has no permissions to run the 'publish' command", 'lacks a right'],
  ["ERR unknown command 'FCALL', with args beginning with: 'leque_publish'", 'Redis 7.0 or newer'],
  ['WRONGPASS invalid username-password pair or user is disabled.', 'refuses the user'],
])('"%s" is reported in one sentence, and without its stack', (message, words) => {
  const { heard, fail } = start();
  for (const where of ['write counts', 'totals']) fail(message, where);
  expect(heard.facts).toEqual([{ type: 'broker_refused', detail: expect.stringContaining(words) }]);
});
