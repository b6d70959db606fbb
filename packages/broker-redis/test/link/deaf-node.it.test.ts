import { describeOnOwnRedis } from '@leque/testkit/contracts';
import { makeEvent } from '@leque/testkit/fakes';
import { expect, test } from 'vitest';
import { startTogether } from '../support/together.ts';

const PATIENCE = { timeout: 15_000, interval: 10 };
const P = 'project:P';
/** The name of the connection on which a node receives; it is in the bytes of each. */
const SUBSCRIBER = 'leque-subscriber';

describeOnOwnRedis('a network that has dropped everything', () => {
  test('[HON] leaves a node unready until a message has come through again', async () => {
    await using all = await startTogether();
    const { proxy, far } = all;
    await far.broker.subscribe(P);
    await expect.poll(() => far.broker.health(), PATIENCE).toEqual({ ok: true });
    proxy.stall();
    await expect.poll(() => far.broker.health().ok, PATIENCE).toBe(false);
    const given = far.telemetry.of('broker_disconnected').length;
    // The commands come back at once. The old subscriber connection waits for TCP's next attempt.
    proxy.resume();
    proxy.stall(SUBSCRIBER);
    const publishes = () =>
      far.broker.publish(makeEvent(P)).then(
        () => true,
        () => false,
      );
    await expect.poll(publishes, PATIENCE).toBe(true);
    const deafAndReady: unknown[] = [];
    const isReplaced = () => {
      if (far.broker.health().ok) deafAndReady.push(far.sink.numbers(P));
      const since = far.telemetry.of('broker_disconnected').slice(given);
      return since.some(({ detail }) => detail.includes('published messages do not arrive'));
    };
    await expect.poll(isReplaced, PATIENCE).toBe(true);
    expect(deafAndReady).toEqual([]);
    proxy.resume();
    await expect.poll(() => far.broker.health(), PATIENCE).toEqual({ ok: true });
    await expect.poll(() => far.sink.of(P).length, PATIENCE).toBeGreaterThan(0);
  });
});
