import { FakeConnection } from '@leque/testkit/fakes';
import { expect, test } from 'vitest';
import { HubUnderTest, P } from '../../test/hub-under-test.ts';
import { identity } from '../../test/samples.ts';
import { ClientSession, type CommandHandler } from './client-session.ts';
import type { TransportContext, TransportLimits } from './transport.ts';

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A client whose commands are texts; each presents a cursor for P. */
function startClient(burst: number) {
  const under = new HubUnderTest();
  const ofHub = under.clock.pending;
  const asked: string[] = [];
  const run: string[] = [];
  const handler: CommandHandler<string> = {
    execute: (command) => void run.push(command),
    refuse: () => {},
    presented: (command) => {
      asked.push(`presented ${command}`);
      return [P];
    },
    bytesOf: (command) => {
      asked.push(`bytes ${command}`);
      return command.length;
    },
    isUrgent: () => false,
    ended: () => {},
    returned: () => {},
  };
  const context: Partial<TransportContext> = {
    hub: under.hub,
    clock: under.clock,
    telemetry: under.telemetry,
    limits: { commands: { perSecond: 1, burst } } as TransportLimits,
  };
  const deps = { handler, connection: new FakeConnection(), context: context as TransportContext };
  /** Number of timers of the client. */
  const timers = () => under.clock.pending - ofHub;
  return {
    clock: under.clock,
    timers,
    asked,
    run,
    client: new ClientSession(deps, identity('a')),
  };
}

test('nothing is asked about a command that need not wait', async () => {
  const { client, asked, run } = startClient(10);
  for (const command of ['a', 'b', 'c']) {
    client.receive(command);
    await settle();
  }
  expect(run).toEqual(['a', 'b', 'c']);
  expect(asked).toEqual([]);
});

test('[RE3.3] a command that waits for the pace alone binds the channels of its cursors', async () => {
  const { client, asked, run, clock, timers } = startClient(1);
  client.receive('a');
  await settle();
  client.receive('b');
  await settle();
  expect(run).toEqual(['a']);
  expect(asked).toEqual(['presented b', 'bytes b']);
  clock.advance(1000);
  await settle();
  expect(run).toEqual(['a', 'b']);
  client.end();
  await settle();
  expect(timers()).toBe(0);
});

test('[LIVE] the end of a client whose last commands are being answered leaves no timer', async () => {
  const { client, timers } = startClient(1);
  client.receive('a');
  client.receive('b');
  await settle();
  let closed = 0;
  client.afterCommands(() => {
    closed += 1;
  });
  expect(timers()).toBe(2);
  client.end();
  await settle();
  expect(timers()).toBe(0);
  expect(closed).toBe(0);
});
