import { io, type Socket } from 'socket.io-client';
import { expect, test } from 'vitest';
import { type GatewayUnderTest, startGateway, tokenFor } from './support/gateway.ts';

interface Client extends Disposable {
  readonly socket: Socket;
  /** Whether the state was recovered, connection by connection. */
  readonly recoveries: boolean[];
  readonly ids: (string | undefined)[];
  /** `NAME NUMBER` of everything that was published. */
  readonly seen: string[];
  readonly said: string[];
}

async function connect(gateway: GatewayUnderTest, options: object = {}): Promise<Client> {
  const socket = io(`${gateway.url}/events`, {
    auth: { token: await tokenFor('ana', { projects: ['P', 'Q'] }) },
    transports: ['websocket'],
    forceNew: true,
    reconnectionDelay: 10,
    reconnectionDelayMax: 20,
    ...options,
  });
  const recoveries: boolean[] = [];
  const ids: (string | undefined)[] = [];
  const seen: string[] = [];
  const said: string[] = [];
  socket.on('connect', () => {
    recoveries.push(socket.recovered);
    ids.push(socket.id);
  });
  socket.onAny((name, payload) => {
    if (payload.message_id === undefined) said.push(name);
    else seen.push(`${name} ${payload.data.n}`);
  });
  await expect.poll(() => said).toContain('connections.count');
  return { socket, recoveries, ids, seen, said, [Symbol.dispose]: () => void socket.disconnect() };
}

/** As when the network goes; `meanwhile` happens before the client is back. */
async function cut(client: Client, meanwhile: () => Promise<unknown>): Promise<void> {
  const { socket } = client;
  const { length } = client.recoveries;
  socket.io.reconnection(false);
  const gone = new Promise((resolve) => socket.once('disconnect', resolve));
  socket.io.engine.close();
  await gone;
  await meanwhile();
  socket.io.reconnection(true);
  socket.connect();
  await expect.poll(() => client.recoveries.length).toBe(length + 1);
}

function publisher(gateway: GatewayUnderTest) {
  let n = 0;
  const next = () => {
    n += 1;
    return { n };
  };
  return {
    project: (id: string) => gateway.publish({ type: 'moved', data: next(), project_id: id }),
    user: () => gateway.publish({ type: 'told', data: next(), user_id: 'ana' }),
    task: () => gateway.publish({ type: 'task.custom', data: next(), user_id: 'ana' }),
  };
}

const subscribe = (client: Client, id: string) =>
  client.socket.timeout(2000).emitWithAck('subscribe.project', { project_id: id });

test.each(['websocket', 'polling'])(
  "[GAP] [DUP] [ORD] [IO8] over %s, the official client's own recovery brings what was missed",
  async (transport) => {
    await using gateway = await startGateway();
    const publish = publisher(gateway);
    using client = await connect(gateway, { transports: [transport] });
    await publish.user();
    await expect.poll(() => client.seen).toEqual(['told 1']);
    await cut(client, async () => {
      await publish.user();
      await publish.user();
    });
    await publish.user();
    await expect.poll(() => client.seen).toEqual(['told 1', 'told 2', 'told 3', 'told 4']);
    expect(client.recoveries).toEqual([false, true]);
  },
);

test('[GAP] [DUP] [IO8] before anything was published the state is known, too', async () => {
  await using gateway = await startGateway();
  const publish = publisher(gateway);
  using client = await connect(gateway);
  await cut(client, publish.user);
  await expect.poll(() => client.seen).toEqual(['told 1']);
  expect(client.recoveries).toEqual([false, true]);
});

test('[GAP] [DUP] [ORD] [IO8] several channels that have moved are all recovered, again and again', async () => {
  await using gateway = await startGateway();
  const publish = publisher(gateway);
  using client = await connect(gateway);
  await subscribe(client, 'P');
  await subscribe(client, 'Q');
  let published = 0;
  for (let round = 0; round < 3; round += 1) {
    for (const send of [() => publish.project('P'), publish.user, () => publish.project('Q')]) {
      await send();
      published += 1;
    }
    await expect.poll(() => client.seen).toHaveLength(published);
    await cut(client, async () => {
      for (const send of [publish.user, () => publish.project('Q'), publish.user]) {
        await send();
        published += 1;
      }
    });
    await expect.poll(() => client.seen).toHaveLength(published);
  }
  await publish.project('P');
  await expect.poll(() => client.seen.at(-1)).toBe(`moved ${published + 1}`);
  const numbers = client.seen.map((each) => Number(each.split(' ')[1]));
  expect(new Set(numbers).size).toBe(published + 1);
  expect(inOrder(client.seen)).toBe(true);
  expect(client.recoveries).toEqual([false, true, true, true]);
});

/** Per event name, which is one channel or two that are published to in turn. */
function inOrder(seen: readonly string[]): boolean {
  return ['told', 'moved'].every((name) => {
    const numbers = seen.filter((each) => each.startsWith(name)).map((each) => each.split(' ')[1]);
    return numbers.every((each, index) => index === 0 || Number(each) > Number(numbers[index - 1]));
  });
}
