import { expect, test } from 'vitest';
import { adviseOn, adviseOnSentinel } from './redis-advice.ts';

const GOOD = {
  redis_version: '7.2.4',
  role: 'master',
  run_id: '0123456789abcdef',
  maxmemory: '1000000',
  maxmemory_policy: 'noeviction',
  aof_enabled: '1',
};
const ALONE = { isSpread: false, neighbours: undefined, newerFunctions: undefined };
const LIMITS = 'normal 0 0 0 slave 268435456 67108864 60 pubsub 268435456 67108864 60';

const adviceOn = (changed: Partial<typeof GOOD>, bufferLimits: string | undefined = LIMITS) => {
  const lines = Object.entries({ ...GOOD, ...changed }).map(([name, value]) => `${name}:${value}`);
  return adviseOn({
    info: `# Server\r\n${lines.join('\r\n')}\r\n`,
    bufferLimits,
    refused: [],
    ...ALONE,
  });
};

test('a Redis with the settings of infra/redis needs no advice', () => {
  expect(adviceOn({})).toEqual([]);
});

test.each([
  [{ redis_version: '6.2.14' }, 'error', '6.2.14'],
  [{ role: 'slave' }, 'error', 'takes no writes'],
  [{ maxmemory_policy: 'allkeys-lru' }, 'error', 'allkeys-lru'],
  [{ maxmemory_policy: 'allkeys-lru', maxmemory: '0' }, 'warning', 'allkeys-lru'],
  [{ aof_enabled: '0' }, 'warning', 'append-only'],
])('%o is a matter for advice', (changed, level, said) => {
  const [finding, ...others] = adviceOn(changed);
  expect(others).toEqual([]);
  expect(finding).toMatchObject({ level, what: expect.stringContaining(said) });
});

test('buffers that are too small, or cannot be inspected, are a warning', () => {
  expect(adviceOn({}, 'pubsub 33554432 8388608 60')).toMatchObject([
    { level: 'warning', what: expect.stringContaining('32 MB') },
  ]);
  expect(
    adviseOn({
      info: 'redis_version:7.0.0\r\nrun_id:0a\r\nrole:master\r\nmaxmemory_policy:noeviction\r\naof_enabled:1\r\n',
      bufferLimits: undefined,
      refused: [],
      ...ALONE,
    }),
  ).toMatchObject([{ level: 'warning', what: expect.stringContaining('CONFIG is not allowed') }]);
});

test('commands that the user may not run are an error, also without INFO', () => {
  const refused = ['INFO server replication', 'XADD leque:{project:check}:log'];
  expect(adviseOn({ info: undefined, bufferLimits: LIMITS, refused, ...ALONE })).toMatchObject([
    { level: 'error', what: expect.stringContaining(refused.join(', ')) },
  ]);
});

test.each([
  [undefined, false, []],
  ['it does not answer (connect ECONNREFUSED)', true, [{ level: 'warning' }]],
  [
    "NOPERM this user has no permissions to run the 'subscribe' command",
    false,
    [{ level: 'error' }],
  ],
  ['it knows no master named main', false, [{ level: 'error' }]],
])('a sentinel with problem %o (away: %o) is a matter for %o', (problem, away, findings) => {
  expect(adviseOnSentinel({ problem, away })).toMatchObject(findings);
});

test('what a service hides is no reason to refuse it, apart from its run_id', () => {
  const facts = { info: '# Server\r\n', bufferLimits: LIMITS, refused: [], ...ALONE };
  expect(adviseOn(facts)).toMatchObject([
    { level: 'error', what: expect.stringContaining('does not show its run_id') },
    { level: 'warning', what: expect.stringContaining('maxmemory-policy is not shown') },
  ]);
});

test.each([
  [{ prefixes: ['a:', 'b:'] }, 'note', 'with the prefixes a:, b:'],
  [{ nodes: ['gateway-1'], adapters: 1 }, 'note', 'gateways run under this prefix: gateway-1'],
  [{ nodes: [], adapters: 2 }, 'warning', '2 connections listen'],
])('the neighbours %o are a matter for a %s', (found, level, said) => {
  const neighbours = { prefixes: [], adapters: 0, nodes: [], ...found };
  const info = Object.entries(GOOD).map(([name, value]) => `${name}:${value}`);
  const facts = {
    info: info.join('\r\n'),
    bufferLimits: LIMITS,
    refused: [],
    ...ALONE,
    neighbours,
  };
  expect(adviseOn(facts)).toMatchObject([{ level, what: expect.stringContaining(said) }]);
});

test('a proxy that spreads commands over several servers is an error', () => {
  const facts = { info: undefined, bufferLimits: LIMITS, refused: [], ...ALONE, isSpread: true };
  expect(adviseOn(facts)).toMatchObject([
    { level: 'error', what: expect.stringContaining('run_id') },
  ]);
});

test('another database and newer functions are noted', () => {
  const info = `run_id:0a\r\ndb0:keys=3,expires=1\r\ndb5:keys=1,expires=0\r\nmaxmemory_policy:noeviction\r\n`;
  const facts = { info, bufferLimits: LIMITS, refused: [], ...ALONE, newerFunctions: 99 };
  expect(adviseOn(facts)).toMatchObject([
    { level: 'note', what: expect.stringContaining('database 5 has keys') },
    { level: 'note', what: expect.stringContaining('functions (99)') },
  ]);
});
