import { describe, expect, test } from 'vitest';
import { describeClients, formatsOf } from '../src/measuring/connections.ts';
import {
  type FanOutSetup,
  offeredDeliveries,
  readersOf,
  type Setup,
} from '../src/workloads/setups.ts';
import { SMOKE_WORKLOADS, WORKLOADS } from '../src/workloads/workloads.ts';

const isFanOut = (setup: Setup): setup is FanOutSetup => setup.kind === 'fan-out';
const setupsOf = (id: string) =>
  WORKLOADS.filter((workload) => workload.id === id)
    .flatMap(({ setups }) => setups)
    .filter(isFanOut);
const offered = (id: string) =>
  setupsOf(id).flatMap((setup) =>
    setup.steps.map(({ rates }) =>
      setup.parts.map((part, index) => offeredDeliveries(setup, part, rates[index] ?? 0)),
    ),
  );

describe('the workloads', () => {
  test.for([
    ['W1', [[1e5], [1e6], [4e6], [1e5], [1e6], [4e6]]],
    ['W2', [[8e5], [2e6]]],
    ['W3', [[1500]]],
    ['W6', [[1e6], [9.5e5]]],
    ['W7', [[1e6], [4e6]]],
    ['W8', [[3e5, 2500]]],
    ['W9', [[1e5], [1e5], [1e5]]],
    ['W12', [[1e5], [1e5], [1e5]]],
  ] as const)('%s offers %j deliveries a second', ([id, expected]) => {
    expect(offered(id)).toEqual(expected);
  });

  test('W2 puts each connection into ten channels, and a hundred into each', () => {
    const [setup] = setupsOf('W2');
    if (setup === undefined) throw new Error('there is no W2');
    for (let connection = 0; connection < setup.connections; connection += 1) {
      expect(new Set(setup.channelsOf(connection)).size).toBe(10);
    }
    for (let channel = 0; channel < setup.channels; channel += 1) {
      const part = { label: '', firstChannel: channel, lastChannel: channel };
      expect(readersOf(setup, part)).toBe(100);
    }
  });

  test('have different names, and a rate for each part', () => {
    for (const { setups } of [...WORKLOADS, ...SMOKE_WORKLOADS]) {
      expect(new Set(setups.map(({ label }) => label)).size).toBe(setups.length);
      for (const { parts, steps } of setups.filter(isFanOut)) {
        for (const { rates } of steps) expect(rates).toHaveLength(parts.length);
      }
    }
  });
});

describe('the clients', () => {
  test('of a mix use the formats of the target', () => {
    const both = { formats: ['ws', 'socketio'] };
    expect(formatsOf(both, 'raw')).toEqual(['ws']);
    expect(formatsOf(both, 'socketio')).toEqual(['socketio']);
    expect(formatsOf(both, 'half')).toEqual(['ws', 'socketio']);
    expect(formatsOf({ formats: ['nats'] }, 'raw')).toEqual(['nats']);
    expect(formatsOf({ formats: ['nats'] }, 'half')).toBeUndefined();
    expect(formatsOf({ formats: ['socketio'] }, 'raw')).toBeUndefined();
  });

  test('of one kind send the same bytes', () => {
    const server = {
      client: (format: string, channels: readonly number[]) => ({
        request: Buffer.from(`${format} ${channels.join()}`),
        afterUpgrade: Buffer.alloc(0),
        ready: 'ready',
        replies: { [format]: Buffer.from('pong') },
      }),
    };
    const channelsOf = (connection: number) => [connection % 4 < 2 ? 0 : 1];
    const formats = ['ws', 'socketio'];
    const clients = describeClients(server, { connections: 8, channelsOf, formats });
    expect(clients.kinds.map(({ request }) => request.toString())).toEqual([
      'ws 0',
      'socketio 0',
      'ws 1',
      'socketio 1',
    ]);
    expect(clients.members[5]).toEqual({ kind: 1, format: 1, channels: [0] });
    expect(Object.keys(clients.replies)).toEqual(['ws', 'socketio']);
  });
});
