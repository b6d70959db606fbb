import { MemoryCluster, MemoryClusterState } from '@leque/broker-memory';
import { io, type Socket } from 'socket.io-client';
import { expect, test } from 'vitest';
import { type GatewayUnderTest, startGateway, tokenFor } from './support/gateway.ts';

/** A cluster state whose reads take their value at once, but answer when the test lets them. */
class SlowReads extends MemoryClusterState {
  readonly answer = Promise.withResolvers<void>();
  asked = 0;

  override async userConnections(userIds: readonly string[]): Promise<number[]> {
    const counts = await super.userConnections(userIds);
    this.asked += 1;
    await this.answer.promise;
    return counts;
  }
}

test('[IO2.2] [CNT] a count never arrives after a newer one, and never twice', async () => {
  const state = new SlowReads(new MemoryCluster());
  await using gateway = await startGateway({}, { state });
  await using first = await connect(gateway);
  await expect.poll(() => state.asked).toBe(1);
  await using second = await connect(gateway);
  await expect.poll(() => state.asked).toBe(2);
  state.answer.resolve();
  for (const client of [first, second]) {
    await expect.poll(() => client.counts.at(-1)).toBe(2);
    await client.socket.timeout(2000).emitWithAck('ping'); // everything sent before has arrived
    expect(client.counts).toEqual([2]);
  }
});

test('[IO2.2] all sockets that are opened in one turn of the event loop receive the count', async () => {
  await using gateway = await startGateway();
  await using stack = new AsyncDisposableStack();
  const clients = await Promise.all([connect(gateway), connect(gateway), connect(gateway)]);
  for (const client of clients) stack.use(client);
  for (const client of clients) await expect.poll(() => client.counts.at(-1)).toBe(3);
});

test('[IO4] an unknown event gets an `error` and its acknowledgement', async () => {
  await using gateway = await startGateway();
  await using client = await connect(gateway);
  const answer = await client.socket.timeout(2000).emitWithAck('bogus', {});
  expect(answer).toMatchObject({ code: 'unknown_action', message: expect.any(String) });
  await expect.poll(() => client.errors).toEqual([answer]);
});

interface Client extends AsyncDisposable {
  readonly socket: Socket;
  readonly counts: number[];
  readonly errors: unknown[];
}

/** Resolves when the server has sent `connected`. */
async function connect(gateway: GatewayUnderTest): Promise<Client> {
  const socket = io(`${gateway.url}/events`, {
    auth: { token: await tokenFor('ana') },
    transports: ['websocket'],
    forceNew: true,
  });
  const counts: number[] = [];
  const errors: unknown[] = [];
  socket.on('connections.count', ({ count }) => counts.push(count));
  socket.on('error', (error) => errors.push(error));
  await new Promise((resolve) => socket.once('connected', resolve));
  return {
    socket,
    counts,
    errors,
    [Symbol.asyncDispose]: async () => void socket.disconnect(),
  };
}
