import { expect, test } from 'vitest';
import { EngineClient } from './support/engine-client.ts';
import { startGateway, tokenFor } from './support/gateway.ts';
import { publisher } from './support/recovering-client.ts';

test('[GAP] [DUP] [IO8] a task event of which only the first of two packets arrived is recovered as the second', async () => {
  await using gateway = await startGateway();
  const publish = publisher(gateway);
  using first = await EngineClient.open(gateway.url);
  first.say(await join());
  await expect.poll(() => first.of('connected')).toHaveLength(1);
  await publish.task();
  await publish.task();
  await expect.poll(() => first.offsetsOf('task.custom')).toHaveLength(2);
  const [half] = first.offsetsOf('task.custom');
  const { pid } = first.connected();
  using second = await EngineClient.open(gateway.url);
  second.say(await join({ pid, offset: half }));
  await expect.poll(() => second.offsetsOf('task.event')).toHaveLength(2);
  expect(second.connected().pid).toBe(pid);
  expect(second.offsetsOf('task.custom')).toHaveLength(1);
  expect(second.offsetsOf('task.event')).toEqual(first.offsetsOf('task.event'));
});

test('[CNT] [DUP] two connections that present the same state are both counted, have ids of their own and receive everything', async () => {
  await using gateway = await startGateway();
  const publish = publisher(gateway);
  using first = await EngineClient.open(gateway.url);
  first.say(await join());
  await expect.poll(() => first.of('connections.count')).toEqual([{ count: 1 }]);
  const { pid, sid } = first.connected();
  await publish.user();
  await expect.poll(() => first.offsetsOf('told')).toHaveLength(1);
  const [offset] = first.offsetsOf('told');
  using second = await EngineClient.open(gateway.url);
  using third = await EngineClient.open(gateway.url);
  for (const client of [second, third]) client.say(await join({ pid, offset }));
  await expect.poll(() => third.of('connections.count').at(-1)).toEqual({ count: 3 });
  await publish.user();
  for (const client of [first, second, third]) {
    await expect.poll(() => client.offsetsOf('told').at(-1)).not.toBe(offset);
    expect(client.connected().pid).toBe(pid);
  }
  expect(second.offsetsOf('told')).toHaveLength(1);
  const ids = [first, second, third].map((client) => client.connected().sid);
  expect(new Set(ids).size).toBe(3);
  first.socket.terminate();
  await expect.poll(() => third.of('connections.count').at(-1)).toEqual({ count: 2 });
  // The id is free now, so the next connection with this state gets it back.
  using fourth = await EngineClient.open(gateway.url);
  fourth.say(await join({ pid, offset }));
  await expect.poll(() => fourth.connected().sid).toBe(sid);
  expect(gateway.hub.sessions.size).toBe(3);
});

test('[ISO] [IO2.1] [IO8.9] the state of another user, or an unsigned one, makes an ordinary connection', async () => {
  await using gateway = await startGateway();
  using victim = await EngineClient.open(gateway.url);
  victim.say(await join());
  await expect.poll(() => victim.of('connected')).toHaveLength(1);
  const { pid = '', sid } = victim.connected();
  const lies = [
    { pid, offset: 'user:ana=e.0' },
    { pid: pid.replaceAll('user:ana', 'user:eve'), offset: 'user:ana=e.0' },
    { pid: 'x'.repeat(30_000), offset: 'user:ana=e.0' },
    { pid: ';'.repeat(30_000), offset: ';'.repeat(30_000) },
    { pid, offset: ['user:ana=e.0'] },
    { pid: null, offset: null },
    { pid: {}, offset: 7 },
  ];
  for (const lie of lies) {
    using thief = await EngineClient.open(gateway.url);
    thief.say(await join(lie, 'eve'));
    await expect
      .poll(() => thief.of('connected'))
      .toMatchObject([{ userId: 'eve', recovered: false }]);
    expect(thief.connected().sid).not.toBe(sid);
    expect(thief.connected().pid).not.toBe(lie.pid);
    await gateway.publish({ type: 'secret', data: {}, user_id: 'ana' });
    await gateway.publish({ type: 'own', data: {}, user_id: 'eve' });
    await expect.poll(() => thief.of('own')).toHaveLength(1);
    expect(thief.of('secret')).toEqual([]);
  }
  expect(gateway.telemetry.of('failure')).toEqual([]);
});

test('[ISO] [GAP] [IO8.6] an offset recovers nothing that the token does not cover', async () => {
  await using gateway = await startGateway();
  const publish = publisher(gateway);
  using first = await EngineClient.open(gateway.url);
  first.say(await join());
  await expect.poll(() => first.of('connected')).toHaveLength(1);
  const { pid } = first.connected();
  for (const channel of ['project:Z', 'user:eve', 'all', 'logs', 'firehose']) {
    using second = await EngineClient.open(gateway.url);
    second.say(await join({ pid, offset: `${channel}=e.0` }));
    await expect.poll(() => second.of('connected')).toMatchObject([{ recovered: false }]);
    await publish.user();
    await expect.poll(() => second.of('told')).toHaveLength(1);
  }
  expect(gateway.telemetry.of('failure')).toEqual([]);
});

test('[IO8] with SOCKETIO_RECOVERY=off clients get neither pid nor offsets', async () => {
  await using gateway = await startGateway({ SOCKETIO_RECOVERY: 'off' });
  const publish = publisher(gateway);
  using client = await EngineClient.open(gateway.url);
  client.say(await join());
  await expect.poll(() => client.of('connected')).toHaveLength(1);
  await publish.user();
  await expect.poll(() => client.offsetsOf('told')).toEqual([undefined]);
  expect(client.connected()).not.toHaveProperty('pid');
});

/** A CONNECT packet as official clients send it. */
async function join(state: object = {}, user = 'ana'): Promise<string> {
  const token = await tokenFor(user, { projects: ['P', 'Q'] });
  return `40/events,${JSON.stringify({ ...state, token })}`;
}
