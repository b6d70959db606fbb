import { MemoryBroker, MemoryStore } from '@leque/broker-memory';
import type { BrokerSink, Publication } from '@leque/core';
import { FIREHOSE, type Position } from '@leque/protocol';
import { expect, test } from 'vitest';
import { memoryLimits, startGateway, tokenFor } from './support/gateway.ts';
import { RawClient } from './support/raw-client.ts';

/** A broker that delivers publications late: when a subscription needs them, or when the test says so. */
class LateBroker extends MemoryBroker {
  late = false;
  /** Called at the first subscription to a channel, before the caller learns of it. */
  onSubscribed: (channel: string) => Promise<void> = async () => {};
  readonly #onTheWay: Publication[] = [];
  readonly #known = new Set<string>();
  #sink: BrokerSink | undefined;

  constructor() {
    super(new MemoryStore(memoryLimits()));
  }

  override async start(sink: BrokerSink): Promise<void> {
    this.#sink = sink;
    await super.start({
      deliver: (publication) => {
        this.#onTheWay.push(publication);
        if (!this.late) this.arrive();
      },
      resync: (channel, position) => sink.resync(channel, position),
      epochChanged: (channel, position) => sink.epochChanged(channel, position),
    });
  }

  override async subscribe(channel: string): Promise<Position | undefined> {
    const position = await super.subscribe(channel);
    const isNew = !this.#known.has(channel);
    this.#known.add(channel);
    if (isNew) await this.onSubscribed(channel);
    else this.arrive();
    return position;
  }

  arrive(): void {
    for (const publication of this.#onTheWay.splice(0)) this.#sink?.deliver(publication);
  }
}

const ALL_PROJECTS = { projects: ['*'] };

async function connect(claims: { projects: string[] }) {
  const broker = new LateBroker();
  const gateway = await startGateway({}, { broker });
  const client = new RawClient(gateway.url, '/ws/notifications', await tokenFor('alice', claims));
  await expect.poll(() => client.of('connection')).toHaveLength(1);
  const publish = (n: number, project = 'P') =>
    gateway.publish({ type: 'x', data: { n }, project_id: project });
  const numbers = () => client.of('x').map(({ data }) => data['n']);
  return {
    broker,
    client,
    gateway,
    publish,
    numbers,
    async [Symbol.asyncDispose]() {
      client[Symbol.dispose]();
      await gateway.stop();
    },
  };
}

test('[GAP] [DUP] [WS5.2] a session that changes from all projects to one misses no publication in flight', async () => {
  await using node = await connect(ALL_PROJECTS);
  const { broker, client, publish, numbers } = node;
  await publish(1);
  await expect.poll(numbers).toEqual([1]);
  broker.late = true;
  await publish(2);
  broker.onSubscribed = async (channel) => {
    if (channel === 'project:P') await publish(3);
  };
  client.say({ action: 'subscribe', project_id: 'P' });
  await expect.poll(() => client.of('subscribed')).toHaveLength(1);
  broker.late = false;
  await publish(0, 'Q');
  await publish(4);
  await expect.poll(numbers).toEqual([1, 2, 3, 4]);
  const [session] = node.gateway.hub.sessions;
  expect(session?.subscriptions.get(FIREHOSE)).toBeUndefined();
});

test('[WS2] publications that a new connection holds back are not lost when it selects one project', async () => {
  await using node = await connect(ALL_PROJECTS);
  const { client, publish, numbers } = node;
  await publish(1);
  await publish(2, 'Q');
  client.say({ action: 'subscribe', project_id: 'P' });
  await expect.poll(() => client.of('subscribed')).toHaveLength(1);
  await publish(3);
  await expect.poll(numbers).toEqual([1, 2, 3]);
});

test('[WS5.4] without a firehose a client with a token for all projects gets the projects that it selects, and a notice', async () => {
  await using gateway = await startGateway({ FIREHOSE: 'off' });
  const token = await tokenFor('alice', ALL_PROJECTS);
  using client = new RawClient(gateway.url, '/ws/notifications', token);
  await expect.poll(() => client.of('connection')).toHaveLength(1);
  expect(client.of('connection')[0]?.data).toMatchObject({ firehose: 'off' });
  const [session] = gateway.hub.sessions;
  expect([...(session?.subscriptions.keys() ?? [])]).toEqual(['all', 'user:alice']);
  client.say({ action: 'subscribe', project_id: 'P' });
  await expect.poll(() => client.of('subscribed')).toHaveLength(1);
  await gateway.publish({ type: 'x', data: { n: 1 }, project_id: 'P' });
  await expect.poll(() => client.of('x').map(({ data }) => data['n'])).toEqual([1]);
});

test('[GAP] a session that cannot change to one project keeps all of them', async () => {
  await using node = await connect(ALL_PROJECTS);
  const { broker, client, publish, numbers } = node;
  broker.onSubscribed = async () => {
    throw new Error('Redis is away');
  };
  client.say({ action: 'subscribe', project_id: 'P' });
  await expect.poll(() => client.of('error')).toHaveLength(1);
  await publish(1);
  await publish(2, 'Q');
  await expect.poll(numbers).toEqual([1, 2]);
  const [session] = node.gateway.hub.sessions;
  expect([...(session?.subscriptions.keys() ?? [])]).not.toContain('project:P');
  expect(session?.subscriptions.get(FIREHOSE)?.accepts).toBeUndefined();
});

test('[GAP] [DUP] [ISO] a fresh token for some projects instead of all loses and repeats nothing', async () => {
  await using node = await connect(ALL_PROJECTS);
  const { broker, client, publish, numbers } = node;
  broker.late = true;
  await publish(1);
  broker.onSubscribed = async (channel) => {
    if (channel === 'project:P') await publish(2);
  };
  client.say({ action: 'auth', token: await tokenFor('alice', { projects: ['P'] }) });
  await expect.poll(() => client.of('authenticated')).toHaveLength(1);
  broker.late = false;
  await publish(0, 'Q');
  await publish(3);
  await expect.poll(numbers).toEqual([1, 2, 3]);
});

test('[GAP] [DUP] a fresh token for all projects instead of some loses and repeats nothing', async () => {
  await using node = await connect({ projects: ['P'] });
  const { broker, client, publish, numbers } = node;
  broker.late = true;
  await publish(1);
  broker.onSubscribed = async (channel) => {
    if (channel === FIREHOSE) await publish(2);
  };
  client.say({ action: 'auth', token: await tokenFor('alice', ALL_PROJECTS) });
  await expect.poll(() => client.of('authenticated')).toHaveLength(1);
  broker.onSubscribed = async () => {};
  broker.late = false;
  await publish(3);
  await publish(4, 'Q');
  await expect.poll(numbers).toEqual([1, 2, 3, 4]);
  const [session] = node.gateway.hub.sessions;
  expect(session?.subscriptions.get(FIREHOSE)?.accepts).toBeUndefined();
});
