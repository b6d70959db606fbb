import { type Envelope, post, RawClient, SocketClient, tokenFor, wsUrl } from '@leque/lab';
import { type Nodes, startNodes } from '@leque/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { redisCommand } from '../support/redis-client.ts';

const HISTORY_SIZE = 1000;

/** A client leaves one node and connects to the other with its cursors. */
describe('resume on another node', () => {
  let cluster: Nodes;
  let firstUrl = '';
  let secondUrl = '';
  beforeAll(async () => {
    cluster = await startNodes(2);
    [firstUrl = '', secondUrl = ''] = cluster.nodes.map(({ url }) => url);
  });
  afterAll(() => cluster?.[Symbol.asyncDispose]());

  const notifications = (url: string, token?: string) =>
    RawClient.connect(wsUrl(url, '/ws/notifications'), token === undefined ? {} : { token });
  const publishAt = async (url: string, events: object | object[]) => {
    const { status, body } = await post(`${url}/api/publish`, events);
    expect(status).toBe(200);
    return body;
  };
  const publish = (events: object | object[]) => publishAt(secondUrl, events);

  describe('raw WebSocket', () => {
    test('[ORD] [DUP] [GAP] `subscribe` with `since` delivers the missed events in order and once', async () => {
      const project = 'PROJ-since';
      await using before = await notifications(firstUrl);
      await before.subscribe(project);
      await publish(numbered(project, 1, 3));
      const { cursor = '' } = await before.first(isNumber(3));
      await before.close();
      await publish(numbered(project, 4, 8));
      await using after = await notifications(secondUrl);
      expect(await after.subscribe(project, cursor)).toMatchObject({
        type: 'subscribed',
        data: { project_id: project, recovered: true },
      });
      await publish(numbered(project, 9, 9));
      await after.first(isNumber(9));
      expect(numbersOf(after)).toEqual([4, 5, 6, 7, 8, 9]);
      // The answer comes before the missed events.
      expect(after.events.findIndex(({ type }) => type === 'subscribed')).toBeLessThan(
        after.events.findIndex(isNumber(4)),
      );
    });

    test('[GAP] the cursor of `subscribed` is valid before any event has arrived', async () => {
      const project = 'PROJ-first';
      await using before = await notifications(firstUrl);
      const { data } = await before.subscribe(project);
      await before.close();
      await publish(numbered(project, 1, 2));
      await using after = await notifications(secondUrl);
      const answer = await after.subscribe(project, String(data['cursor']));
      expect(answer.data).toMatchObject({ recovered: true });
      await after.first(isNumber(2));
      expect(numbersOf(after)).toEqual([1, 2]);
    });

    test('[ORD] [DUP] [GAP] `resume` delivers the missed events of every channel of a session', async () => {
      const token = tokenFor('alice', { projects: ['PROJ-resume'] });
      const targets = [{ project_id: 'PROJ-resume' }, { user_id: 'alice' }, { channel: 'all' }];
      const send = (from: number, to: number) =>
        publish(targets.flatMap((target) => numbered(target, from, to)));
      await using before = await notifications(firstUrl, token);
      await send(1, 2);
      const seen = await Promise.all(targets.map((_, index) => before.first(isNth(index, 2))));
      const cursors = Object.fromEntries(seen.map(({ channel, cursor }) => [channel, cursor]));
      expect(Object.keys(cursors).sort()).toEqual(['all', 'project:PROJ-resume', 'user:alice']);
      await before.close();
      await send(3, 5);
      await using after = await notifications(secondUrl, token);
      const { type, data } = await after.ask({ action: 'resume', cursors });
      expect(type).toBe('resumed');
      const recovered = { recovered: true, cursor: expect.any(String) };
      expect(data).toEqual({
        channels: { all: recovered, 'project:PROJ-resume': recovered, 'user:alice': recovered },
      });
      await send(6, 6);
      await Promise.all(targets.map((_, index) => after.first(isNth(index, 6))));
      for (const channel of Object.keys(cursors)) {
        const events = after.all('numbered').filter((event) => event.channel === channel);
        expect({ channel, numbers: events.map(({ data: { n } }) => n) }).toEqual({
          channel,
          numbers: [3, 4, 5, 6],
        });
      }
    });

    test('[ISO] `resume` reports each channel that is not granted, and resumes the others', async () => {
      const { cursor } = await publish({ type: 'x', project_id: 'PROJ-hidden', data: {} });
      const own = await publish({ type: 'x', user_id: 'bob', data: {} });
      await publish(numbered({ user_id: 'bob' }, 1, 1));
      await using client = await notifications(firstUrl, tokenFor('bob'));
      const { data } = await client.ask({
        action: 'resume',
        cursors: { 'project:PROJ-hidden': cursor, 'user:bob': own['cursor'] },
      });
      expect(data['channels']).toMatchObject({
        'project:PROJ-hidden': { recovered: false, code: 'forbidden' },
        'user:bob': { recovered: true },
      });
      await client.first(isNumber(1));
      expect(client.all('x')).toEqual([]);
    });

    test('[ORD] [DUP] [GAP] a client that changes nodes again and again under load misses nothing', async () => {
      const project = 'PROJ-load';
      const total = 400;
      const seen: number[] = [];
      let cursor = await cursorNow(project);
      const publishing = publishOneByOne(project, total);
      for (let round = 0; seen.at(-1) !== total; round += 1) {
        await using client = await notifications(round % 2 === 0 ? firstUrl : secondUrl);
        expect((await client.subscribe(project, cursor)).data['recovered']).toBe(true);
        const enough = (seen.at(-1) ?? 0) + 30;
        await client.first(({ data: { n } }) => Number(n) >= Math.min(enough, total));
        const events = client.all('numbered');
        seen.push(...events.map(({ data: { n } }) => Number(n)));
        cursor = events.at(-1)?.cursor ?? cursor;
      }
      await publishing;
      expect(seen).toEqual(Array.from({ length: total }, (_, index) => index + 1));
    });
  });

  describe('Socket.IO', () => {
    test('[IO5] [ORD] [DUP] [GAP] `auth.cursors` delivers the missed events in order and once', async () => {
      const token = tokenFor('carol', { projects: ['PROJ-io'] });
      await using before = await SocketClient.connect(firstUrl, { token });
      before.socket.emit('subscribe.project', { project_id: 'PROJ-io' });
      const { cursor: projectCursor } = await before.first('subscribed.project');
      await publish(['T-1', 'T-2'].map((taskId) => task('carol', taskId)));
      const { cursor } = await before.first('task.created', isTask('T-2'));
      before.socket.disconnect();
      await publish(['T-3', 'T-4', 'T-5'].map((taskId) => task('carol', taskId)));
      await publish(numbered('PROJ-io', 1, 2));

      const cursors = { 'user:carol': cursor, 'project:PROJ-io': projectCursor };
      await using after = await SocketClient.connect(secondUrl, { token, auth: { cursors } });
      await publish([task('carol', 'T-6'), ...numbered('PROJ-io', 3, 3)]);
      await after.first('task.event', isTask('T-6'));
      await after.first('numbered', ({ data }) => (data as { n: number }).n === 3);
      expect(after.all('task.created').map(taskOf)).toEqual(['T-3', 'T-4', 'T-5', 'T-6']);
      expect(after.all('task.event').map(taskOf)).toEqual(['T-3', 'T-4', 'T-5', 'T-6']);
      expect(after.all('numbered').map(({ data }) => (data as { n: number }).n)).toEqual([1, 2, 3]);
      const recovered = { recovered: true, cursor: expect.any(String) };
      expect(await after.first('resumed')).toMatchObject({
        channels: { 'user:carol': recovered, 'project:PROJ-io': recovered },
      });
      expect(after.events[0]?.name).toBe('connected');
    });

    test('[ISO] `auth.cursors` with a channel of another user delivers none of its events', async () => {
      const { cursor } = await publish(task('dave', 'T-0'));
      await publish(task('dave', 'T-1'));
      await using thief = await SocketClient.connect(secondUrl, {
        token: tokenFor('eve'),
        auth: { cursors: { 'user:dave': cursor } },
      });
      expect(await thief.first('resumed')).toMatchObject({
        channels: { 'user:dave': { recovered: false, code: 'forbidden' } },
      });
      await publish(task('eve', 'T-own'));
      await thief.first('task.event', isTask('T-own'));
      expect(thief.all('task.created').map(taskOf)).toEqual(['T-own']);
    });

    test('[RE1.3] [RE1.4] [GAP] `auth.cursors` reports a channel whose history is gone', async () => {
      const { cursor } = await publish(task('frank', 'T-1'));
      await publish(task('frank', 'T-2'));
      await forget('user:frank', 'log');
      await using client = await SocketClient.connect(secondUrl, {
        token: tokenFor('frank'),
        auth: { cursors: { 'user:frank': cursor } },
      });
      expect(await client.first('resumed')).toMatchObject({
        channels: { 'user:frank': { recovered: false, cursor: expect.any(String) } },
      });
      expect(client.all('task.created')).toEqual([]);
    });
  });

  describe('with `recovered: false` because the history does not reach back', () => {
    const loss: [string, (project: string) => Promise<unknown>][] = [
      ['the log has expired', (project) => forget(`project:${project}`, 'log')],
      [
        'log and meta are gone (another epoch)',
        (project) => forget(`project:${project}`, 'log', 'meta'),
      ],
      ['more was missed than is kept', (project) => publish(numbered(project, 1, HISTORY_SIZE))],
    ];

    test.for(loss)(
      '[GAP] %s: nothing is replayed, and the new cursor is valid',
      async ([, lose]) => {
        const project = `PROJ-${loss.findIndex((entry) => entry[1] === lose)}`;
        const { cursor } = await publish({ type: 'seen', project_id: project, data: {} });
        await publish({ type: 'missed', project_id: project, data: {} });
        await lose(project);
        await publish({ type: 'missed', project_id: project, data: {} });
        await using client = await notifications(firstUrl);
        const { type, data } = await client.subscribe(project, String(cursor));
        expect(type).toBe('subscribed');
        expect(data).toMatchObject({ recovered: false, cursor: expect.any(String) });
        await publish({ type: 'live', project_id: project, data: {} });
        const { cursor: liveCursor } = await client.first('live');
        const types = client.events.map((event) => event.type);
        expect(types).toEqual(['connection', 'subscribed', 'caught_up', 'live']);
        // Nothing after the cursor in the answer is lost.
        await using next = await notifications(secondUrl);
        const again = await next.subscribe(project, String(data['cursor']));
        expect(again.data).toMatchObject({ recovered: true });
        expect(await next.first('live')).toMatchObject({ cursor: liveCursor });
      },
    );

    test('[GAP] a client that missed exactly as many events as the history keeps loses none', async () => {
      const { cursor } = await publish({ type: 'seen', project_id: 'PROJ-edge', data: {} });
      await publish(numbered('PROJ-edge', 1, HISTORY_SIZE));
      await using client = await notifications(firstUrl);
      const { data } = await client.subscribe('PROJ-edge', String(cursor));
      expect(data['recovered']).toBe(true);
      await client.first(isNumber(HISTORY_SIZE));
      expect(numbersOf(client)).toHaveLength(HISTORY_SIZE);
    });
  });

  async function cursorNow(project: string): Promise<string> {
    await using client = await notifications(firstUrl);
    return String((await client.subscribe(project)).data['cursor']);
  }

  async function forget(channel: string, ...parts: string[]): Promise<void> {
    const keys = parts.map((part) => `${cluster.prefix}{${channel}}:${part}`);
    expect(await redisCommand(cluster.redis.url, 'DEL', ...keys)).toBe(keys.length);
  }

  /** Publishes through both nodes in turn, each event after the answer to the one before. */
  async function publishOneByOne(project: string, total: number): Promise<void> {
    for (let n = 1; n <= total; n += 1) {
      await publishAt(n % 2 === 0 ? firstUrl : secondUrl, numbered(project, n, n));
    }
  }
});

/** Numbered events for a project, or for `target`. */
function numbered(target: string | object, from: number, to: number): object[] {
  const routing = typeof target === 'string' ? { project_id: target } : target;
  return Array.from({ length: to - from + 1 }, (_, index) => ({
    type: 'numbered',
    ...routing,
    data: { n: from + index },
  }));
}

function isNumber(n: number): (event: Envelope) => boolean {
  return ({ data }) => data['n'] === n;
}

/** The numbers received in the channels of project, user and everybody, in this order. */
function isNth(index: number, n: number): (event: Envelope) => boolean {
  const kind = ['project:', 'user:', 'all'][index] ?? '';
  return ({ channel, data }) => channel?.startsWith(kind) === true && data['n'] === n;
}

function numbersOf(client: RawClient): unknown[] {
  return client.all('numbered').map(({ data }) => data['n']);
}

function task(user: string, taskId: string): object {
  return { type: 'task.created', user_id: user, data: { taskId, userId: user, agentId: 'A' } };
}

function taskOf(payload: Readonly<Record<string, unknown>>): string {
  return (payload['data'] as { taskId: string }).taskId;
}

function isTask(taskId: string): (payload: Readonly<Record<string, unknown>>) => boolean {
  return (payload) => taskOf(payload) === taskId;
}
