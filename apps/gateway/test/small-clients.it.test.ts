import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { type GatewayUnderTest, startGateway, tokenFor } from './support/gateway.ts';
import type { Message } from './support/raw-client.ts';

const PROJECT = 'P';

interface Limits {
  /** The most bytes of a message that its library takes. */
  readonly maxPayload: number;
  /** The part of its URL in which the client states that limit. */
  readonly query?: string;
}

/** A client like those of PROTOCOL, whose library takes small messages only. */
class SmallClient implements Disposable {
  readonly events: Message[] = [];
  readonly closes: number[] = [];
  cursor: string | undefined;
  #socket: WebSocket | undefined;
  readonly #connect: () => WebSocket;

  constructor(gateway: GatewayUnderTest, token: string, { maxPayload, query = '' }: Limits) {
    const url = `${gateway.url.replace('http', 'ws')}/ws/project/${PROJECT}?resume=1${query}`;
    const headers = { authorization: `Bearer ${token}`, 'user-agent': `takes-${maxPayload}` };
    this.#connect = () => new WebSocket(url, { headers, maxPayload });
    this.#run();
  }

  #run(): void {
    const socket = this.#connect();
    this.#socket = socket;
    socket.on('error', () => {}); // `close` follows
    socket.on('open', () => {
      const command = { action: 'subscribe', project_id: PROJECT, since: this.cursor };
      socket.send(JSON.stringify(command));
    });
    socket.on('message', (text) => this.#take(JSON.parse(text.toString())));
    socket.on('close', (code) => {
      this.closes.push(code);
      if (this.#socket === socket) this.#run();
    });
  }

  #take(message: Message): void {
    const isAnswer = message.type === 'subscribed' || message.type === 'resync';
    const cursor = isAnswer ? message.data['cursor'] : message['cursor'];
    if (typeof cursor === 'string') this.cursor = cursor;
    if (message.type === 'x' || message.type === 'resync') this.events.push(message);
  }

  [Symbol.dispose](): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.terminate();
  }
}

function publish(gateway: GatewayUnderTest, n: number, bytes: number): Promise<void> {
  const data = { n, text: 'x'.repeat(bytes) };
  return gateway.publish({ type: 'x', data, project_id: PROJECT });
}

const seenBy = ({ events }: SmallClient) =>
  events.map(({ type, data }) => (type === 'x' ? data['n'] : data['reason']));

test('[CL] [CL1] [CL2] [GAP] a client that says how much it takes gets a resync in place of a larger event', async () => {
  await using gateway = await startGateway();
  const token = await tokenFor('alice', { projects: [PROJECT] });
  using client = new SmallClient(gateway, token, { maxPayload: 8192, query: '&max_message=8192' });
  await expect.poll(() => client.cursor).toBeDefined();
  for (const [n, bytes] of [
    [1, 10],
    [2, 20_000],
    [3, 10],
  ] as const) {
    await publish(gateway, n, bytes);
  }
  await expect.poll(() => seenBy(client)).toEqual([1, 'too_large_for_client', 3]);
  expect(client.closes).toEqual([]);
});

test('[CL3] [GAP] [DUP] a client that closes with 1009 again and again gets past the event', async () => {
  await using gateway = await startGateway();
  const token = await tokenFor('alice', { projects: [PROJECT] });
  using small = new SmallClient(gateway, token, { maxPayload: 8192 });
  using large = new SmallClient(gateway, token, { maxPayload: 1_000_000 });
  await expect.poll(() => [small.cursor, large.cursor]).not.toContain(undefined);
  await publish(gateway, 1, 10);
  await publish(gateway, 2, 20_000);
  await publish(gateway, 3, 10);
  await expect
    .poll(() => seenBy(small), { timeout: 10_000 })
    .toEqual([1, 'too_large_for_client', 3]);
  expect(small.closes).toHaveLength(4);
  expect(seenBy(large)).toEqual([1, 2, 3]);
});

test('[AD] max_message that is no number is refused with 400 before the upgrade', async () => {
  await using gateway = await startGateway({ AUTH_MODE: 'open' });
  const url = `${gateway.url.replace('http', 'ws')}/ws/notifications?max_message=8k`;
  const socket = new WebSocket(url);
  socket.on('error', () => {}); // the refusal, reported a second time
  const status = await new Promise((resolve) => {
    socket.on('unexpected-response', (_request, response) => resolve(response.statusCode));
  });
  socket.terminate();
  expect(status).toBe(400);
});

test('[WS7] pings of the protocol go between heartbeats', async () => {
  await using gateway = await startGateway({
    AUTH_MODE: 'open',
    WEBSOCKET_HEARTBEAT_INTERVAL: '2',
    WEBSOCKET_PING_INTERVAL: '0.5',
  });
  const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/ws/notifications`);
  using _ = { [Symbol.dispose]: () => void socket.terminate() };
  let pings = 0;
  let beats = 0;
  socket.on('ping', () => {
    pings += 1;
  });
  socket.on('message', (text) => {
    if (JSON.parse(text.toString()).type === 'heartbeat') beats += 1;
  });
  await expect.poll(() => beats, { timeout: 10_000 }).toBeGreaterThanOrEqual(2);
  expect(pings).toBeGreaterThanOrEqual(5);
});
