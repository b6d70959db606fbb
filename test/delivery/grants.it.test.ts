import {
  type Envelope,
  hs256,
  inSeconds,
  post,
  RawClient,
  SocketClient,
  tokenFor,
  wsUrl,
} from '@leque/lab';
import { type Cluster, startCluster, TEST_API_KEY } from '@leque/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const key = { 'x-api-key': TEST_API_KEY };
const token = tokenFor('alice');
/** Longer than the life of a short grant. */
const PATIENCE_MS = 10_000;

interface Entry {
  readonly grant: string;
  readonly cursor: string;
}

/** An application lets a user into a room, at the moment of joining. */
describe('grants on two gateways', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster({ gateways: 2 });
  });
  afterAll(() => cluster?.[Symbol.asyncDispose]());

  const api = async (path: string, body: object | object[]) => {
    const answer = await post(`${cluster.publisher.url}/api/${path}`, body, key);
    expect(answer.status).toBe(200);
    return answer.body;
  };
  const grantFor = async (project: string): Promise<Entry> => {
    const body = { user_id: 'alice', projects: [project], ttl: 60 };
    const { grants } = (await api('grants', body)) as { grants: [Entry] };
    return grants[0];
  };
  const publish = (project_id: string, from: number, to = from) => {
    const count = to - from + 1;
    const events = Array.from({ length: count }, (_, index) => ({
      type: 'numbered',
      project_id,
      data: { n: from + index },
    }));
    return api('publish', events);
  };
  const raw = (gateway: number) =>
    RawClient.connect(wsUrl(cluster.url(gateway), '/ws/notifications'), { token });

  test.concurrent('[GR1.4] [GR2] a grant ends with its channel named, and a newer one goes on without a gap', async () => {
    const project = 'room:short';
    const { grant: long } = await grantFor(project);
    await using ending = await raw(0);
    await using going = await raw(1);
    const short = shortGrant(project);
    for (const client of [ending, going]) {
      const ask = { action: 'subscribe', project_id: project, grant: short };
      expect((await client.ask(ask)).type).toBe('subscribed');
    }
    await publish(project, 1);
    const renewed = await going.ask({ action: 'subscribe', project_id: project, grant: long });
    expect(renewed.type).toBe('subscribed');
    await publish(project, 2);
    await Promise.all([ending.first(isNumber(2)), going.first(isNumber(2))]);
    const { data } = await ending.first('unsubscribed', PATIENCE_MS);
    expect(data).toMatchObject({ channel: `project:${project}`, reason: 'grant_expired' });
    await publish(project, 3);
    await going.first(isNumber(3));
    await api('publish', { type: 'last', user_id: 'alice', data: {} });
    await ending.first('last');
    expect(numbersOf(ending.events)).toEqual([1, 2]);
    expect(numbersOf(going.events)).toEqual([1, 2, 3]);
    const again = await ending.ask({ action: 'subscribe', project_id: project });
    expect([again.type, again.data['code']]).toEqual(['error', 'forbidden']);
  });

  test.concurrent('[HR.5] a room that a grant has closed comes back with the next grant, whatever brings it', async () => {
    const [one, other] = ['back:one', 'back:other'];
    const [{ grant: again }, { grant: foreign }] = [await grantFor(one), await grantFor(other)];
    await using client = await raw(1);
    await using socket = await SocketClient.connect(cluster.url(1), { auth: { token } });
    const short = shortGrant(one);
    await client.ask({ action: 'subscribe', project_id: one, grant: short });
    const subscribe = (payload: object) =>
      socket.socket.timeout(5000).emitWithAck('subscribe.project', payload);
    await subscribe({ project_id: one, grant: short });
    await client.first('unsubscribed', PATIENCE_MS);
    await socket.first('unsubscribed.project');
    const several = [{ project_id: other, grant: foreign }];
    await client.ask({ action: 'subscribe', projects: several, grant: again });
    const projects = { projects: several, grant: again };
    await socket.socket.timeout(5000).emitWithAck('subscribe.projects', projects);
    const isBack = (data: object) => (data as { channel?: string }).channel === `project:${one}`;
    await client.first(({ type, data }) => type === 'subscribed' && isBack(data));
    await socket.first('subscribed.project', isBack);
    await publish(one, 1);
    await Promise.all([client.first(isNumber(1)), socket.first('numbered', hasNumber(1))]);
  });

  test('[ISO] [GR1] without its grant a room stays shut, and a grant opens no other', async () => {
    const { grant } = await grantFor('room:open');
    await using client = await raw(0);
    const subscribe = (project_id: string, presented?: string) =>
      client.ask({ action: 'subscribe', project_id, grant: presented });
    expect((await subscribe('room:open')).data['code']).toBe('forbidden');
    expect((await subscribe('room:shut', grant)).data['code']).toBe('forbidden');
    expect((await subscribe('room:open')).type).toBe('subscribed'); // the session holds the grant
    const other = tokenFor('bob');
    const url = wsUrl(cluster.url(0), '/ws/notifications');
    await using bob = await RawClient.connect(url, { token: other });
    const refused = await bob.ask({ action: 'subscribe', project_id: 'room:open', grant });
    expect(refused.type).toBe('error');
  });

  test('[GR2.2] [GR2.3] wrong grants are named, and keep no other from counting, by both protocols', async () => {
    const [{ grant: a }, { grant: b }] = [await grantFor('list:a'), await grantFor('list:b')];
    const old = hs256({ use: 'grant', sub: 'alice', projects: ['list:c'], exp: inSeconds(-60) });
    const grants = [a, 'x', old];
    const refused_grants = [
      { grant: 1, code: 'grant_invalid', message: 'grant: not a JSON Web Token' },
      { grant: 2, code: 'grant_expired', message: 'grant has expired' },
    ];
    await using client = await raw(1);
    const cursors = { 'project:list:a': 'x.1', 'project:list:c': 'x.1' };
    const resumed = await client.ask({ action: 'resume', cursors, grants });
    expect(resumed.data).toMatchObject({
      channels: { 'project:list:c': { recovered: false, code: 'forbidden' } },
      refused_grants,
    });
    const renewed = await client.ask({ action: 'auth', token, grants });
    expect(renewed.data).toMatchObject({ user_id: 'alice', refused_grants });
    const projects = [
      { project_id: 'list:a' },
      { project_id: 'list:b', grant: b },
      { project_id: 'list:c', grant: old },
    ];
    const channels = {
      'project:list:a': { cursor: expect.any(String) },
      'project:list:b': { cursor: expect.any(String) },
      'project:list:c': { recovered: false, code: 'grant_expired', message: 'grant has expired' },
    };
    const several = await client.ask({ action: 'subscribe', projects });
    expect(several.data['channels']).toEqual(channels);
    await using socket = await SocketClient.connect(cluster.url(1), { auth: { token, grants } });
    expect(await socket.first('connected')).toMatchObject({ refused_grants });
    const emit = (name: string, payload: object) =>
      socket.socket.timeout(5000).emitWithAck(name, payload);
    expect(await emit('subscribe.projects', { projects })).toMatchObject({ channels });
    const ids = { project_ids: ['list:c'], grant: old };
    expect(await emit('subscribe.projects', ids)).toMatchObject({
      channels: { 'project:list:c': { code: 'grant_expired' } },
    });
    const auth = await emit('auth', { token, grants });
    expect(auth).toMatchObject({ userId: 'alice', refused_grants });
    expect(await emit('subscribe.project', { project_id: 'list:c', grant: old })).toMatchObject({
      code: 'grant_expired',
    });
    const message = 'auth.grants is neither a list nor the JSON text of one';
    const unreadable = { auth: { token, grants: 'x' } };
    expect(await SocketClient.refusal(cluster.url(1), unreadable)).toMatchObject({ message });
  });

  test('[ORD] [DUP] [GAP] [GA1.1] a fetched state and its stream go on across a killed gateway, by both protocols', async () => {
    const project = 'board:9';
    const { grant, cursor } = await grantFor(project);
    await publish(project, 1, 3);
    const before = await raw(0);
    const socketAuth = { token, grants: [grant] };
    const socket = await SocketClient.connect(cluster.url(0), { auth: socketAuth });
    const subscribe = { project_id: project, since: cursor };
    const answer = await before.ask({ action: 'subscribe', ...subscribe, grant });
    expect(answer).toMatchObject({ type: 'subscribed', data: { recovered: true } });
    const confirmed = await socket.socket.timeout(5000).emitWithAck('subscribe.project', subscribe);
    expect(confirmed).toMatchObject({ recovered: true });
    await publish(project, 4);
    const last = await before.first(isNumber(4));
    await socket.first('numbered', hasNumber(4));
    expect(numbersOf(before.events)).toEqual([1, 2, 3, 4]);
    expect(numbersOf(socket.all('numbered'))).toEqual([1, 2, 3, 4]);

    await cluster.kill(0);
    await Promise.all([before[Symbol.asyncDispose](), socket[Symbol.asyncDispose]()]);
    await publish(project, 5, 6);
    const cursors = { [`project:${project}`]: String(last.cursor) };
    await using after = await raw(1);
    const resumed = await after.ask({ action: 'resume', cursors, grants: [grant] });
    expect(resumed.data['channels']).toMatchObject({
      [`project:${project}`]: { recovered: true },
    });
    await using back = await SocketClient.connect(cluster.url(1), {
      auth: { ...socketAuth, cursors },
    });
    await publish(project, 7);
    await after.first(isNumber(7));
    await back.first('numbered', hasNumber(7));
    expect(numbersOf(after.events)).toEqual([5, 6, 7]);
    expect(numbersOf(back.all('numbered'))).toEqual([5, 6, 7]);
  });
});

/** A grant of an application that ends in two to three seconds. */
function shortGrant(project: string): string {
  return hs256({ use: 'grant', sub: 'alice', projects: [project], exp: inSeconds(3) });
}

function isNumber(n: number): (event: Envelope) => boolean {
  return ({ type, data }) => type === 'numbered' && data['n'] === n;
}

function hasNumber(n: number): (payload: Readonly<Record<string, unknown>>) => boolean {
  return ({ data }) => (data as { n?: number }).n === n;
}

function numbersOf(events: readonly object[]): unknown[] {
  return (events as { data?: { n?: number } }[]).flatMap(({ data }) => data?.n ?? []);
}
