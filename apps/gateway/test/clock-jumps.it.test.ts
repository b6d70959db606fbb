import { type Clock, SteadyClock, systemClock } from '@leque/core';
import { expect, test } from 'vitest';
import { startGateway, tokenFor } from './support/gateway.ts';
import { RawClient } from './support/raw-client.ts';

const HOUR_MS = 3_600_000;
const PATIENCE = { timeout: 5000 };

/** A machine whose clock tests can set, with the steady clock of a process on it. */
class Machine {
  offMs = 0;
  /** Error of the clock that the process asks after a jump. */
  witnessOffMs = 0;
  readonly clock = new SteadyClock({
    clock: { ...systemClock, now: () => Date.now() + this.offMs } satisfies Clock,
    witness: async () => Date.now() + this.witnessOffMs,
    onJump: () => {},
  });
}

function startOn({ clock }: Machine) {
  return startGateway({ JWT_CLOCK_TOLERANCE: '0' }, { clock });
}

test.each([24 * HOUR_MS, -24 * HOUR_MS])(
  'after a clock jump of %i ms, sessions stay open, new clients are admitted, and tokens expire on time',
  async (jumpMs) => {
    const machine = new Machine();
    await using gateway = await startOn(machine);
    using before = new RawClient(gateway.url, '/ws/notifications', await tokenFor('alice'));
    await expect.poll(() => before.of('connection'), PATIENCE).toHaveLength(1);
    machine.offMs = jumpMs;
    const soon = await tokenFor('bob', { expiresInSeconds: 2 });
    using during = new RawClient(gateway.url, '/ws/notifications', soon);
    await expect.poll(() => during.of('connection'), PATIENCE).toHaveLength(1);
    // This close shows that sweeps have looked at all sessions after the jump.
    expect(await during.closed).toMatchObject({ code: 4001 });
    before.say('ping');
    await expect.poll(() => before.of('pong'), PATIENCE).toHaveLength(1);
    expect(gateway.hub.sessions.size).toBe(1);
  },
);

test('a clock jump that the clock of the cluster confirms closes sessions whose tokens have expired', async () => {
  const machine = new Machine();
  await using gateway = await startOn(machine);
  using client = new RawClient(gateway.url, '/ws/notifications', await tokenFor('alice'));
  await expect.poll(() => client.of('connection'), PATIENCE).toHaveLength(1);
  machine.offMs = HOUR_MS;
  machine.witnessOffMs = HOUR_MS;
  expect(await client.closed).toMatchObject({ code: 4001 });
});
