import { describe, expect, test } from 'vitest';
import { readOptions } from '../src/command/options.ts';
import type { Target } from '../src/targets/target.ts';
import { WORKLOADS } from '../src/workloads/workloads.ts';

const target = (name: string): Target => ({
  name,
  formats: ['ws'],
  unavailable: async () => undefined,
  start: () => Promise.reject(new Error('not here')),
});
const CHOICE = {
  workloads: WORKLOADS,
  leque: target('leque'),
  peers: [target('floor'), target('ws'), target('nats')],
};
const names = (targets: readonly Target[]) => targets.map(({ name }) => name);

test.each(['0', '100', 'half', ''])('--duty-cycle "%s" is refused', (dutyCycle) => {
  const given = { repeat: '1', dutyCycle };
  expect(() => readOptions(given, CHOICE)).toThrow(`--duty-cycle "${dutyCycle}"`);
});

test.each(['0', '0.0001', '1e9', '-3', ''])('--seconds "%s" is refused', (seconds) => {
  expect(() => readOptions({ repeat: '1', seconds }, CHOICE)).toThrow(`--seconds "${seconds}"`);
});

describe('the options of the bench', () => {
  test('default to Leque alone and every workload', () => {
    const options = readOptions({ repeat: '5' }, CHOICE);
    expect(options).toMatchObject({ repeat: 5, seconds: undefined, workloads: WORKLOADS });
    expect(names(options.targets)).toEqual(['leque']);
  });

  test('accept names in any case and order', () => {
    const options = readOptions(
      { repeat: '1', only: 'w2, W1', peers: 'nats,floor', seconds: '0.5' },
      CHOICE,
    );
    expect(options.workloads.map(({ id }) => id)).toEqual(['W1', 'W2']);
    expect(names(options.targets)).toEqual(['leque', 'floor', 'nats']);
    expect(options.seconds).toBe(0.5);
  });

  test('take --peers without names as all peers', () => {
    const { targets } = readOptions({ repeat: '1', peers: true }, CHOICE);
    expect(names(targets)).toEqual(['leque', 'floor', 'ws', 'nats']);
  });

  test('refuse to install peers when none is chosen', () => {
    const read = () => readOptions({ repeat: '1', installPeers: true }, CHOICE);
    expect(read).toThrow('--install-peers needs --peers');
  });

  test('report every problem at once', () => {
    const wrong = { repeat: '0', only: 'W1,W99', peers: 'redis', seconds: 'soon' };
    for (const problem of ['--repeat "0"', '"w99" is none of W1,', '"redis"', '--seconds "soon"']) {
      expect(() => readOptions(wrong, CHOICE)).toThrow(problem);
    }
  });
});
