import { describe, expect, test } from 'vitest';
import { readMinutes, readOptions } from '../src/command/options.ts';
import { SCENARIOS, SHORT_SCENARIOS } from '../src/scenarios/index.ts';

const URLS = { url: 'http://a:1, http://b:2/', secret: 's' };

describe('the options of verify', () => {
  test('default to all scenarios on a started system with a random seed', () => {
    const { scenarios, existing, redis, seed } = readOptions({}, SCENARIOS);
    expect({ scenarios, existing, redis }).toEqual({
      scenarios: SCENARIOS,
      existing: undefined,
      redis: 'standalone',
    });
    expect(seed).toBeGreaterThanOrEqual(0);
  });

  test('choose scenarios and repeat a seed', () => {
    const { scenarios, seed } = readOptions({ only: 'storm, bad-links', seed: '7' }, SCENARIOS);
    expect(scenarios.map(({ name }) => name)).toEqual(['bad-links', 'storm']);
    expect(seed).toBe(7);
  });

  test('name an existing system, whose publishers may be its gateways', () => {
    const gateways = ['http://a:1', 'http://b:2'];
    expect(readOptions(URLS, SCENARIOS).existing).toMatchObject({ gateways, publishers: gateways });
    const apart = readOptions({ ...URLS, publishUrl: 'http://c:3' }, SCENARIOS);
    expect(apart.existing).toMatchObject({ gateways, publishers: ['http://c:3'] });
  });

  test('set variables of a started system only', () => {
    const set = ['DRAIN_GRACE=10', 'SLOW_CONSUMER_RULES=a=b'];
    const settings = { DRAIN_GRACE: '10', SLOW_CONSUMER_RULES: 'a=b' };
    expect(readOptions({ set }, SCENARIOS).settings).toEqual(settings);
    expect(() => readOptions({ set: ['drain=1'] }, SCENARIOS)).toThrow(/"drain=1" is not like/);
    expect(() => readOptions({ ...URLS, set }, SCENARIOS)).toThrow(/--set is for a system of our/);
  });

  test('report every problem at once', () => {
    const given = { only: 'nonsense', seed: 'x', redis: 'memory', url: 'wss://a' };
    const read = () => readOptions(given, SCENARIOS);
    for (const problem of [/"nonsense" is none of/, /--seed "x"/, /"memory"/, /"wss:\/\/a"/]) {
      expect(read).toThrow(problem);
    }
    expect(read).toThrow(/--url needs --secret/);
    expect(() => readMinutes('long')).toThrow(/--soak "long"/);
  });

  test.each([
    [{ secret: 's' }, '--secret is for a system that runs'],
    [{ apiKey: 'k' }, '--api-key is for a system that runs'],
    [{ publishUrl: 'http://c:3' }, '--publish-url is for a system that runs'],
    [{ ...URLS, redis: 'standalone' }, '--redis is for a system of our own'],
    [{ soak: '1', only: 'storm' }, '--soak is a scenario of its own'],
  ])('that contradict each other are refused: %j', (given, problem) => {
    expect(() => readOptions(given, SCENARIOS)).toThrow(problem);
  });
});

test.for([SCENARIOS, SHORT_SCENARIOS])('scenarios have unique names', (scenarios) => {
  const names = scenarios.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
});
