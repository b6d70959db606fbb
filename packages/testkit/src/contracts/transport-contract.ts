import type { Fact, Hub } from '@leque/core';
import type { EventInput } from '@leque/protocol';
import { expect, test } from 'vitest';
import type { RecordingTelemetry } from '../fakes/recording-telemetry.ts';

/** An event as a client received it. */
export interface ReceivedEvent {
  readonly data: unknown;
  readonly channel: string;
  readonly cursor: string;
}

/** A client of the transport, whose session is open. */
export interface TransportClient extends Disposable {
  /** The events of type `numbered`, oldest first. */
  readonly events: readonly ReceivedEvent[];
  /** Settles when the server has ended the connection. */
  readonly closed: Promise<unknown>;
}

export interface ConnectOptions {
  readonly token: string | undefined;
  /** By channel, where the client goes on. */
  readonly cursors?: Readonly<Record<string, string>>;
}

/** A gateway with the transport. */
export interface TransportNode extends AsyncDisposable {
  readonly url: string;
  readonly hub: Hub;
  readonly telemetry: RecordingTelemetry;
  publish(event: EventInput): Promise<void>;
  /** Drains, then stops. */
  stop(): Promise<void>;
}

export interface TransportUnderTest {
  /** The transport's name in facts and metrics. */
  readonly name: string;
  /** Starts a gateway with these settings. */
  startNode(env: Record<string, string>): Promise<TransportNode>;
  tokenFor(userId: string, claims?: { expiresInSeconds?: number }): Promise<string>;
  /** Resolves once the session is open; rejects when the server refuses the client. */
  connect(url: string, options: ConnectOptions): Promise<TransportClient>;
}

const PATIENCE = { timeout: 10_000 };
const COUNT = 50;

const eventFor = (userId: string, n: number): EventInput => ({
  type: 'numbered',
  data: { n },
  user_id: userId,
});

/** The rules that every transport keeps. Call it in a `describe` that names the transport. */
export function describeTransportContract(transport: TransportUnderTest): void {
  const { name } = transport;
  const connect = async (node: TransportNode, userId: string, cursors = {}) =>
    transport.connect(node.url, { token: await transport.tokenFor(userId), cursors });
  const numbers = ({ events }: TransportClient) =>
    events.map(({ data }) => (data as { n: number }).n);
  const refusals = ({ telemetry }: TransportNode) =>
    telemetry.of('connection_refused').map(({ transport, code }) => ({ transport, code }));

  test('[ORD] delivers the events of its endpoint in order', async () => {
    await using node = await transport.startNode({});
    using client = await connect(node, 'ana');
    const sent = Array.from({ length: COUNT }, (_, index) => index);
    for (const n of sent) await node.publish(eventFor('ana', n));
    await expect.poll(() => numbers(client), PATIENCE).toEqual(sent);
  });

  test('[ISO] delivers no event that the token does not cover', async () => {
    await using node = await transport.startNode({});
    using ana = await connect(node, 'ana');
    using bia = await connect(node, 'bia');
    for (const [userId, n] of [
      ['ana', 1],
      ['bia', 2],
      ['ana', 3],
      ['bia', 4],
    ] as const) {
      await node.publish(eventFor(userId, n));
    }
    await expect.poll(() => numbers(ana), PATIENCE).toEqual([1, 3]);
    await expect.poll(() => numbers(bia), PATIENCE).toEqual([2, 4]);
  });

  test('[GAP] [DUP] resumes by cursor without a loss or a repetition', async () => {
    await using node = await transport.startNode({});
    const first = await connect(node, 'ana');
    await node.publish(eventFor('ana', 1));
    await expect.poll(() => numbers(first), PATIENCE).toEqual([1]);
    const [event] = first.events;
    first[Symbol.dispose]();
    await expect.poll(() => node.hub.sessions.size, PATIENCE).toBe(0);
    for (const n of [2, 3]) await node.publish(eventFor('ana', n));
    using second = await connect(node, 'ana', { [event?.channel ?? '']: event?.cursor });
    await node.publish(eventFor('ana', 4));
    await expect.poll(() => numbers(second), PATIENCE).toEqual([2, 3, 4]);
  });

  test('refuses a client without a token, or with a wrong one', async () => {
    await using node = await transport.startNode({});
    for (const token of [undefined, 'nonsense']) {
      await expect(transport.connect(node.url, { token })).rejects.toThrow();
    }
    expect(refusals(node)).toEqual([
      { transport: name, code: 'token_missing' },
      { transport: name, code: 'token_malformed' },
    ]);
    expect(node.hub.sessions.size).toBe(0);
  });

  test('refuses a client when the node is full', async () => {
    await using node = await transport.startNode({ WEBSOCKET_MAX_CONNECTIONS: '1' });
    using _ = await connect(node, 'ana');
    await expect(connect(node, 'bia')).rejects.toThrow();
    expect(refusals(node)).toEqual([{ transport: name, code: 'unavailable' }]);
  });

  test('[CC] moves clients away and refuses newcomers while the node drains', async () => {
    await using node = await transport.startNode({ DRAIN_TIMEOUT: '2' });
    using first = await connect(node, 'ana');
    using second = await connect(node, 'ana');
    const stopped = node.stop();
    await Promise.race([first.closed, second.closed]);
    await expect(connect(node, 'bia')).rejects.toThrow();
    expect(refusals(node)).toEqual([{ transport: name, code: 'draining' }]);
    await Promise.all([first.closed, second.closed, stopped]);
  });

  test('ends a session with its token', async () => {
    await using node = await transport.startNode({});
    const token = await transport.tokenFor('ana', { expiresInSeconds: 1 });
    using client = await transport.connect(node.url, { token });
    await client.closed;
    await expect.poll(() => node.hub.sessions.size, PATIENCE).toBe(0);
  });

  test('[CNT] reports and counts its sessions under its name', async () => {
    await using node = await transport.startNode({});
    const counters = () => node.hub.counters.transports.get(name);
    expect(counters()).toMatchObject({ open: 0 });
    const client = await connect(node, 'ana');
    expect(counters()).toMatchObject({ open: 1 });
    await node.publish(eventFor('ana', 1));
    await expect.poll(() => numbers(client), PATIENCE).toEqual([1]);
    expect(counters()?.bytes).toBeGreaterThan(0);
    client[Symbol.dispose]();
    await expect.poll(() => ends(node.telemetry.facts), PATIENCE).toEqual([name, name]);
    expect(counters()).toMatchObject({ open: 0 });
  });
}

/** The transports of the facts about the start and the end of sessions. */
function ends(facts: readonly Fact[]): string[] {
  return facts.flatMap((fact) =>
    fact.type === 'session_opened' || fact.type === 'session_closed' ? [fact.transport] : [],
  );
}
