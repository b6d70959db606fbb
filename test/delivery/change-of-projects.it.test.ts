import { hs256, inSeconds, post, RawClient, tokenFor, wsUrl } from '@leque/lab';
import { type Nodes, startNodes } from '@leque/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const PROJECT = 'PROJ-turn';
const ALL = ['*'];
const ONE = [PROJECT];
const TURNS = 12;
/** The number of the newest event. It goes on from test to test, whose last events may come late. */
let n = 0;

const subscribe = (client: RawClient) => client.subscribe(PROJECT);
const authAs = (projects: string[]) => (client: RawClient) =>
  client.ask({ action: 'auth', token: tokenFor('alice', { projects }) });

const withGrant = (lifetime: number) => (client: RawClient) => {
  const claims = { use: 'grant', sub: 'alice', projects: ONE, exp: inSeconds(lifetime) };
  return client.ask({ action: 'subscribe', project_id: PROJECT, grant: hs256(claims) });
};

/** A client changes its subscriptions while events of its projects keep arriving. */
describe('under load, a change of projects', () => {
  let cluster: Nodes;
  beforeAll(async () => {
    cluster = await startNodes(2);
  });
  afterAll(() => cluster?.[Symbol.asyncDispose]());

  test.each([
    { change: 'from all of them to one by subscribing', before: ALL, turn: subscribe },
    { change: 'from all of them to one by a fresh token', before: ALL, turn: authAs(ONE) },
    { change: 'from one of them to all by a fresh token', before: ONE, turn: authAs(ALL) },
    { change: 'of a grant to a newer one', before: [], join: withGrant(60), turn: withGrant(90) },
  ])('[ORD] [DUP] [GAP] $change loses and repeats nothing', async ({ before, join, turn }) => {
    const urls = cluster.nodes.map(({ url }) => url);
    await using _ = publishOnAndOn(urls);
    for (let round = 0; round < TURNS; round += 1) {
      const url = wsUrl(urls[round % urls.length] ?? '', '/ws/notifications');
      const token = tokenFor('alice', { projects: before });
      await using client = await RawClient.connect(url, { token });
      await join?.(client);
      const { data } = await client.first('numbered');
      expect((await turn(client)).type).not.toBe('error');
      const until = n + 5;
      await client.first(({ data: { n } }) => Number(n) >= until);
      const seen = client.all('numbered').map(({ data: { n } }) => Number(n));
      expect(seen).toEqual(seen.map((_, index) => Number(data['n']) + index));
    }
  });
});

/** Publishes through all nodes in turn, each event after the answer to the one before. */
function publishOnAndOn(urls: readonly string[]): AsyncDisposable {
  let going = true;
  const publishing = (async () => {
    while (going) {
      n += 1;
      const event = { type: 'numbered', project_id: PROJECT, data: { n } };
      await post(`${urls[n % urls.length]}/api/publish`, event);
    }
  })();
  publishing.catch(() => {}); // the clients wait for it
  return {
    [Symbol.asyncDispose]: async () => {
      going = false;
      await publishing;
    },
  };
}
