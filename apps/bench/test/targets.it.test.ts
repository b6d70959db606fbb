import { freePorts, startRedis, uniquePrefix } from '@leque/testkit';
import { expect, test } from 'vitest';
import { socketIo, socketIoLocal, socketIoSharded } from '../src/peers/socketio/socketio.ts';
import { ws } from '../src/peers/ws/ws.ts';
import { leque } from '../src/targets/leque.ts';
import type { RunningTarget, Target, TargetContext } from '../src/targets/target.ts';
import { eventTemplate } from '../src/workloads/event.ts';
import { ScriptClient } from './support/script-client.ts';

const CLIENT = 17;
const TIME = '1234567890123456';

async function start(target: Target, more: Partial<TargetContext> = {}) {
  await using stack = new AsyncDisposableStack();
  const { port: redisPort, url } = stack.use(await startRedis());
  const running = stack.use(
    await target.start({
      redis: { host: new URL(url).hostname, port: redisPort, url },
      port: await freePorts(10),
      channels: 4,
      settings: { REDIS_KEY_PREFIX: uniquePrefix() },
      ...more,
    }),
  );
  const owner = stack.move();
  return { running, [Symbol.asyncDispose]: () => owner.disposeAsync() };
}

/** Publishes as the load generator does: with the time and the number put into the bytes. */
async function publish(running: RunningTarget, channel: number, number: string): Promise<void> {
  const { address, preamble, error, ack } = running.publishing;
  const template = running.publication(channel, eventTemplate(channel)).toString('latin1');
  const bytes = template.replace('T'.repeat(16), TIME).replace('N'.repeat(10), number);
  await using publisher = await ScriptClient.connect(address);
  if (preamble !== undefined) publisher.send(preamble);
  publisher.send(Buffer.from(bytes, 'latin1'));
  if (ack !== undefined) await publisher.receives(ack);
  expect(publisher.received).not.toContain(error);
}

function addressOf(running: RunningTarget): string {
  return running.addresses[0] ?? '';
}

function marker(channel: number, number: string): string {
  return `"t":"${TIME}","c":"0000${channel}","n":"${number}"`;
}

const FORMATS = [leque, ws, socketIo, socketIoSharded, socketIoLocal].flatMap((target) =>
  target.formats.map((format) => ({ name: target.name, target, format })),
);

test.each(FORMATS)('$name relays the channels of a $format client', async ({ target, format }) => {
  await using started = await start(target);
  const { running } = started;
  const script = running.client(format, [1, 3], CLIENT);
  await using client = await ScriptClient.ready(addressOf(running), script);
  await publish(running, 2, '0000000001');
  await publish(running, 1, '0000000002');
  await publish(running, 3, '0000000003');
  await client.receives(marker(1, '0000000002'));
  await client.receives(marker(3, '0000000003'));
  expect(client.received).not.toContain(marker(2, '0000000001'));
});

test('Leque serves a client of one project at the path of that project', async () => {
  await using started = await start(leque);
  const { running } = started;
  const script = running.client('ws', [2], CLIENT);
  expect(script.request.toString()).toContain('GET /ws/project/P00002 ');
  await using client = await ScriptClient.ready(addressOf(running), script);
  await publish(running, 2, '0000000001');
  await client.receives(marker(2, '0000000001'));
});

test.each(leque.formats)('Leque relays a personal channel to its %s client', async (format) => {
  await using started = await start(leque, { personal: true });
  const { running } = started;
  const script = running.client(format, [3], CLIENT);
  await using client = await ScriptClient.ready(addressOf(running), script);
  await publish(running, 2, '0000000001');
  await publish(running, 3, '0000000001');
  await client.receives(marker(3, '0000000001'));
  expect(client.received).not.toContain('"c":"00002"');
});

test('Leque tells the numbers of its metrics, whatever their labels', async () => {
  await using started = await start(leque);
  const { running } = started;
  const script = running.client('ws', [0], CLIENT);
  await using _client = await ScriptClient.ready(addressOf(running), script);
  const metrics = await running.metrics?.();
  expect(metrics).toMatchObject({ leque_sessions_opened_total: 1, leque_slow_consumers_total: 0 });
  expect(metrics?.['process_resident_memory_bytes']).toBeGreaterThan(0);
  // None, for a process that is not busy.
  expect(metrics?.['nodejs_eventloop_lag_p99_seconds']).toBeGreaterThanOrEqual(0);
});
