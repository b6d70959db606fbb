import { randomUUID } from 'node:crypto';
import { get, leque, post, RawClient, SocketClient, tokenFor, wsUrl } from '@leque/lab';
import { type Cluster, startCluster, startLeque, TEST_API_KEY } from '@leque/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

/** Nodes count deliveries within a moment. */
const SOON = { timeout: 5_000, interval: 25 };
const WITH_KEY = { authorization: `Bearer ${TEST_API_KEY}` };
const ADMIN = tokenFor('ops', { scope: 'admin' });
const LARGE = 60_000;

interface Trace {
  readonly published?: Readonly<Record<string, unknown>>;
  readonly nodes: readonly {
    readonly node: string;
    readonly deliveries: readonly Readonly<Record<string, number | string>>[];
    readonly not_selected: number;
    readonly not_granted: number;
    readonly connected_later: number;
  }[];
  readonly silent: number;
  readonly explanation: readonly string[];
}

describe('the trace of a message', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster({ gateways: 2, env: { LOG_LEVEL: 'warn' } });
  });
  afterAll(() => cluster?.[Symbol.asyncDispose]());

  const publish = async (event: object): Promise<string> => {
    const { status, body } = await post(`${cluster.publisher.url}/api/publish`, event, WITH_KEY);
    expect(status).toBe(200);
    return String(body['message_id']);
  };
  const traceOf = async (id: string, query = ''): Promise<Trace> => {
    const url = `${cluster.publisher.url}/api/messages/${id}/trace${query}`;
    const { status, body } = await get(url, { authorization: `Bearer ${ADMIN}` });
    expect(status, JSON.stringify(body)).toBe(200);
    return body as unknown as Trace;
  };
  const connect = (gateway: number, path: string, projects: readonly string[]) =>
    RawClient.connect(wsUrl(cluster.url(gateway), path), {
      token: tokenFor('alice', { projects }),
    });
  const explain = async (id: string) => {
    const { code, stdout, stderr } = await leque(['trace', id, '--url', cluster.publisher.url], {
      env: { LEQUE_TOKEN: ADMIN },
    });
    expect(stderr).toBe('');
    expect(code).toBe(0);
    return stdout;
  };

  test('whose id was used in two channels covers only the requested channel', async () => {
    await using _one = await connect(0, '/ws/project/TWICE-1', ['TWICE-1']);
    await using _other = await connect(0, '/ws/project/TWICE-2', ['TWICE-2']);
    const message_id = randomUUID();
    for (const project_id of ['TWICE-1', 'TWICE-2']) {
      await publish({ type: 'note', project_id, message_id, data: {} });
    }
    for (const channel of ['project:TWICE-1', 'project:TWICE-2']) {
      const seen = async () => {
        const { published, nodes } = await traceOf(message_id, `?channel=${channel}`);
        return [published?.['channel'], ...nodes.flatMap(({ deliveries }) => deliveries)];
      };
      await expect.poll(seen, SOON).toMatchObject([channel, { channel, written: 1 }]);
    }
  });

  test('that was delivered names the publisher, the channel, the nodes and the number of sessions', async () => {
    await using raw = await connect(0, '/ws/project/T1', ['T1']);
    await using other = await connect(1, '/ws/project/T1', ['T1']);
    await using socket = await SocketClient.connect(cluster.url(1), {
      token: tokenFor('bob', { projects: ['T1'] }),
    });
    socket.socket.emit('subscribe.project', { project_id: 'T1' });
    await socket.first('subscribed.project');
    const id = await publish({ type: 'note', project_id: 'T1', data: {} });
    await Promise.all([raw, other].map((client) => client.first('note')));
    const trace = await traceOf(id);
    const receipts = trace.nodes.map(({ deliveries: [first] }) => String(first?.['received_at']));
    expect([...receipts, String(trace.published?.['at'])].sort()[0]).toBe(trace.published?.['at']);
    expect(trace.published).toMatchObject({
      channel: 'project:T1',
      type: 'note',
      by: 'an API key',
      publisher: 'publisher-1',
      cursor: expect.stringMatching(/\.1$/),
    });
    expect(trace.nodes).toMatchObject([
      { node: 'gateway-1', deliveries: [{ channel: 'project:T1', sessions: 1, written: 1 }] },
      { node: 'gateway-2', deliveries: [{ channel: 'project:T1', sessions: 2, written: 2 }] },
    ]);
    expect(trace.silent).toBe(0);
    expect(await explain(id)).toMatch(
      /Published to project:T1 at \S+ by an API key through publisher-1.*\ngateway-1 received it at \S+, 1 subscribed: written to 1\.\ngateway-2 .* 2 subscribed: written to 2\./,
    );
  });

  test('without subscribers reports that, and how many sessions lacked the grant', async () => {
    await using _stranger = await connect(0, '/ws/project/T1', ['T1']);
    const id = await publish({ type: 'note', project_id: 'T2', data: {} });
    const { nodes } = await traceOf(id);
    expect(nodes.map(({ deliveries }) => deliveries)).toEqual([[], []]);
    expect(nodes[0]).toMatchObject({ not_granted: 1, not_selected: 0 });
    const text = await explain(id);
    expect(text).toContain('No client on any of 2 gateways was subscribed to project:T2.');
    expect(text).toContain('1 more has no grant for project:T2.');
  });

  test('reports how many sessions may see it but have selected other projects', async () => {
    await using chooser = await connect(0, '/ws/notifications', ['T3', 'T4']);
    await chooser.subscribe('T4');
    await using listener = await connect(1, '/ws/notifications', ['T3', 'T4']);
    const id = await publish({ type: 'note', project_id: 'T3', data: {} });
    await listener.first('note');
    const [first, second] = (await traceOf(id)).nodes;
    expect(first).toMatchObject({ not_selected: 1, deliveries: [] });
    expect(second).toMatchObject({ not_selected: 0, deliveries: [{ written: 1 }] });
    expect(await explain(id)).toContain('1 more may see project:T3 and has selected others.');
  });

  test('reports a slow client that was closed, and which messages it had not read', async () => {
    await using slow = await connect(0, '/ws/project/T5', ['T5']);
    await using fast = await connect(0, '/ws/project/T5', ['T5']);
    for (const client of [slow, fast]) await client.ask({ action: 'ping' });
    slow.socket.pause();
    const ids: string[] = [];
    const isSlow = async () => {
      const data = { text: 'x'.repeat(LARGE) };
      ids.push(await publish({ type: 'large', project_id: 'T5', data }));
      const [node] = (await traceOf(ids.at(-1) ?? '')).nodes;
      return node?.deliveries[0]?.['slow'];
    };
    await expect.poll(isSlow, { timeout: 15_000, interval: 1 }).toBe(1);
    const at = (id = '') => traceOf(id).then(({ nodes }) => nodes[0]?.deliveries[0]);
    // The client took the first events, at least into its kernel, but not the last but one.
    expect(await at(ids[0])).toMatchObject({ sessions: 2, written: 2, slow: 0 });
    expect(await at(ids.at(-2))).toMatchObject({ sessions: 2, written: 1, slow: 1 });
    expect(await explain(ids.at(-1) ?? '')).toContain(
      'written to 1, not to 1 that read too slowly and was closed (4008)',
    );
  });

  test('reports a client that reconnected later and received it from the history', async () => {
    await using before = await connect(0, '/ws/notifications', ['T6']);
    const { data } = await before.subscribe('T6');
    await before.close();
    const id = await publish({ type: 'note', project_id: 'T6', data: {} });
    await using after = await connect(1, '/ws/notifications', ['T6']);
    await after.subscribe('T6', String(data['cursor']));
    await after.first('note');
    const recovered = async () => (await traceOf(id)).nodes[1]?.deliveries[0]?.['recovered'];
    await expect.poll(recovered, SOON).toBe(1);
    expect((await traceOf(id)).nodes[1]).toMatchObject({ connected_later: 1 });
    expect(await explain(id)).toContain('recovered from the history by 1 that came later');
  });

  test('reports a client with a token for all projects as fed from the firehose', async () => {
    await using all = await connect(0, '/ws/notifications', ['*']);
    const id = await publish({ type: 'note', project_id: 'T7', data: {} });
    await all.first('note');
    expect((await traceOf(id)).nodes[0]).toMatchObject({
      not_selected: 0,
      deliveries: [{ channel: 'firehose', written: 1, cursor: expect.stringMatching(/\.1$/) }],
    });
    expect(await explain(id)).toContain('for clients of all projects');
  });

  test('needs the scope admin, and is not found for an unpublished id', async () => {
    const url = `${cluster.publisher.url}/api/messages/none/trace`;
    expect((await get(url, WITH_KEY)).status).toBe(403);
    expect((await get(url)).status).toBe(401);
    const { code, stderr } = await leque(['trace', 'none', '--url', cluster.publisher.url], {
      env: { LEQUE_TOKEN: ADMIN },
    });
    expect(code).toBe(1);
    expect(stderr).toContain('no trace of message none: no process remembers it');
    const { body } = await get(`${url}?channel=nowhere`, { authorization: `Bearer ${ADMIN}` });
    expect(body).toMatchObject({ status: 400, errors: [{ field: 'channel' }] });
  });
});

test('a trace is found in a single process too, but not when its journal has size 0', async () => {
  for (const [size, status] of [
    ['10', 200],
    ['0', 404],
  ] as const) {
    await using server = await startLeque({ TRACE_JOURNAL_SIZE: size });
    const event = { type: 'note', project_id: 'P', data: {} };
    const { body } = await post(`${server.url}/api/publish`, event);
    const url = `${server.url}/api/messages/${body['message_id']}/trace`;
    expect((await get(url, { authorization: `Bearer ${ADMIN}` })).status).toBe(status);
  }
});
