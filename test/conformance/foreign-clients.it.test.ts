import { post, tokenFor } from '@leque/lab';
import { type Cluster, startCluster, TEST_API_KEY } from '@leque/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ForeignClient, Received, RunningClient } from './clients/foreign-client.ts';
import { OFFICIAL } from './clients/official.ts';
import { PROGRAMS } from './clients/programs.ts';

const CLIENTS: readonly ForeignClient[] = [...PROGRAMS, ...OFFICIAL];
const WITH_KEY = { authorization: `Bearer ${TEST_API_KEY}` };
/** Programs start together, on as many cores as there are. */
const PATIENCE_MS = 20_000;
const SUITE_MS = 120_000;
const OPTIONS = { SOCKETIO_EIO3: 'on', WEBSOCKET_COMPRESSION: 'on' };

/** One system and one `kill -9` serve all clients; each client has a test of its own. */
describe('clients of other projects', () => {
  const visits = CLIENTS.filter(({ missing }) => missing === undefined).map(
    (client) => new Visit(client),
  );
  let cluster: Cluster | undefined;
  beforeAll(async () => {
    cluster = await startCluster({ gateways: 1, env: OPTIONS });
    await visitAll(cluster, visits);
  }, SUITE_MS);
  afterAll(async () => {
    await Promise.all(visits.map((visit) => visit[Symbol.asyncDispose]()));
    await cluster?.[Symbol.asyncDispose]();
  });

  test.for(CLIENTS.map((client) => [titleOf(client), client] as const))(
    '[GAP] [DUP] [ORD] [IO10.1] [IO10.3] [IO8.17] [IO5.1] %s connects, is answered, comes back after a `kill -9`, and gets every event once',
    ([, client], { skip }) => {
      skip(client.missing !== undefined, client.missing);
      const visit = visits.find((each) => each.client === client);
      if (visit?.problem !== undefined) throw visit.problem;
      expect(visit?.numbers).toEqual([1, 2, 3, 4, 5]);
    },
  );
});

async function visitAll(cluster: Cluster, visits: readonly Visit[]): Promise<void> {
  const all = (step: (visit: Visit) => Promise<unknown>) =>
    Promise.all(visits.map((visit) => visit.take(() => step(visit))));
  const tell = async (...numbers: readonly number[]) => {
    const events = visits.flatMap(({ user }) =>
      numbers.map((n) => ({ type: 'told', data: { n }, user_id: user })),
    );
    const { status } = await post(`${cluster.publisher.url}/api/publish`, events, WITH_KEY);
    expect(status).toBe(200);
  };
  await all((visit) => visit.begin(cluster));
  await tell(1, 2);
  await all((visit) => visit.told(2));
  await cluster.kill(0);
  await all((visit) => visit.next('disconnect'));
  await tell(3, 4);
  await cluster.gateways[0]?.restart();
  await all((visit) => visit.returned());
  await all((visit) => visit.told(4));
  await tell(5);
  await all((visit) => visit.told(5));
}

/** What one client does; after its first problem it does nothing more, and the others go on. */
class Visit implements AsyncDisposable {
  readonly client: ForeignClient;
  /** As identity providers write it. */
  readonly user = `auth0|${crypto.randomUUID()}`;
  problem: unknown;
  #running: RunningClient | undefined;

  constructor(client: ForeignClient) {
    this.client = client;
  }

  /** The numbers of the events, as they came where the client says so. */
  get numbers(): readonly unknown[] {
    const received = this.#running?.inbox.items ?? [];
    const told = received.filter(({ type }) => type === 'told').map(({ data }) => data?.['n']);
    return this.client.concurrentHandlers ? told.toSorted() : told;
  }

  async take(step: () => Promise<unknown>): Promise<void> {
    if (this.problem !== undefined) return;
    try {
      await step();
    } catch (error) {
      this.problem = error;
    }
  }

  async begin({ publisher, gateways }: Cluster): Promise<void> {
    const [gateway] = gateways;
    if (gateway === undefined) throw new Error('there is no gateway');
    const place = { user: this.user, token: tokenFor(this.user) };
    this.#running = this.client.start({
      ...place,
      gateway: gateway.url,
      publisher: publisher.url,
    });
    for (const type of [this.client.answer, ...this.client.also]) await this.next(type);
  }

  async next(type: string): Promise<Received> {
    return this.#first((message) => message.type === type);
  }

  async told(n: number): Promise<void> {
    await this.#first(({ type, data }) => type === 'told' && data?.['n'] === n);
  }

  /** Resolves when the server has said that nothing is lost. */
  async returned(): Promise<void> {
    await this.#first(({ type, recovered, data, channels = data?.['channels'] }) => {
      if (type === 'connected') return recovered === true;
      if (type !== 'resumed') return false;
      const outcomes = Object.values(channels as Record<string, { recovered: boolean }>);
      return outcomes.length > 0 && outcomes.every((outcome) => outcome.recovered);
    });
  }

  async #first(matches: (message: Received) => boolean): Promise<Received> {
    if (this.#running === undefined) throw new Error('the client was not started');
    return this.#running.inbox.first(matches, PATIENCE_MS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running?.[Symbol.asyncDispose]();
  }
}

function titleOf({ name, missing }: ForeignClient): string {
  return missing === undefined ? name : `${name} (skipped: ${missing})`;
}
