import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  expiredTokenFor,
  get,
  leque,
  post,
  RawClient,
  SocketClient,
  startClustered,
  startEmbedded,
  tokenFor,
  wsUrl,
} from '@leque/lab';
import { type Cluster, startCluster, TEST_API_KEY } from '@leque/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import manifest from '../package.json' with { type: 'json' };

const ADMIN = tokenFor('ops', { scope: 'admin' });
const PATIENCE = { timeout: 10_000 };

describe('in a running cluster', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster({ gateways: 2, env: { LOG_LEVEL: 'info' } });
  });
  afterAll(() => cluster?.[Symbol.asyncDispose]());

  const run = (...args: readonly string[]) =>
    leque([...args, '--url', cluster.publisher.url], { env: { LEQUE_TOKEN: ADMIN } });

  test.for(['stats', 'trace x', 'log-level info', 'publish --type x'])(
    'leque %s at a gateway says which process to name',
    async (line) => {
      const { code, stderr } = await leque([...line.split(' '), '--url', cluster.url(0)]);
      expect(code).toBe(1);
      expect(stderr).toMatch(/^404 from .*; a gateway has no API: name a publisher or a load/);
    },
  );

  test('leque tail at a publisher says which process to name', async () => {
    const { code, stderr } = await run('tail', 'all');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^404 from .*; name a gateway or a load balancer with --url\n$/);
  });

  test('a token without the right scope is answered with the command that makes one', async () => {
    const env = { LEQUE_TOKEN: tokenFor('alice') };
    const { code, stderr } = await leque(['trace', 'x', '--url', cluster.publisher.url], { env });
    expect(code).toBe(1);
    expect(stderr).toContain('; try --token "$(leque token --user ops --scope admin)"');
  });

  test('[GR1] leque grant prints a grant for each project, and leque cursor where each stands', async () => {
    const projects = ['grant', '--user', 'alice', '--projects', 'P,Q'];
    const { code, stdout } = await run(...projects);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^ey\S+\ney\S+\n$/)]);
    const { grants } = JSON.parse((await run(...projects, '--json')).stdout);
    const cursor = await run('cursor', 'project:P');
    expect(cursor.stdout).toBe(`${grants[0].cursor}\n`);
    const logs = await run('cursor', 'logs');
    expect([logs.code, logs.stderr]).toEqual([1, 'logs keeps no history, so it has no cursor\n']);
    const refused = await run('grant', '--user', 'alice', '--projects', '*');
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringContaining('a grant names its projects, so * is none'),
    ]);
  });

  test('[CNT] leque stats shows each process with its connections', async () => {
    await using _client = await RawClient.connect(wsUrl(cluster.url(0), '/ws/project/P'), {
      token: tokenFor('alice', { projects: ['P'] }),
    });
    const url = `${cluster.publisher.url}/api/ws/stats`;
    const stats = async () => (await get(url, { 'x-api-key': TEST_API_KEY })).body;
    const counted = { active_connections: 1, total_connections: 1 };
    await expect.poll(stats, { timeout: 2000 }).toMatchObject(counted);
    const { code, stdout } = await run('stats');
    expect(code).toBe(0);
    const lines = stdout.trim().split('\n');
    const line = (node: string) => {
      const start = lines.findIndex((each) => each.startsWith(node));
      return lines
        .slice(start, start + 2)
        .join('')
        .split(/ {2,}/);
    };
    expect(line('gateway-1').slice(1, 3)).toEqual(['gateway', 'ready']);
    expect(line('gateway-1').slice(4, 5)).toEqual(['1']);
    expect(line('gateway-2').slice(1, 3)).toEqual(['gateway', 'ready']);
    expect(line('publisher-1').slice(1, 3)).toEqual(['publisher', 'ready']);
    const json = JSON.parse((await run('stats', '--json')).stdout);
    expect(json).toMatchObject({ stats: counted, silent: 0 });
    expect(json.nodes.map(({ node }: { node: string }) => node)).toEqual([
      'gateway-1',
      'gateway-2',
      'publisher-1',
    ]);
  });

  test('leque stats --watch ends silently when its reader leaves', async () => {
    const args = ['stats', '--watch', '--interval', '0.1', '--url', cluster.publisher.url];
    const { code, stderr } = await leque(args, { env: { LEQUE_TOKEN: ADMIN }, readerLeaves: true });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  test('leque tail reports a server that is no gateway, and does not wait for it', async () => {
    const { code, stderr } = await leque(['tail', 'project:P', '--url', cluster.publisher.url]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/^404 from /) });
  });

  test('leque log-level changes what one process or all of them log', async () => {
    const debugLines = () => cluster.publisher.output.match(/"level":20,.*"msg":"request"/g) ?? [];
    await get(`${cluster.publisher.url}/api/ws/stats`, { 'x-api-key': TEST_API_KEY });
    expect(debugLines()).toEqual([]);
    const { code, stdout } = await run('log-level', 'debug', '--node', 'publisher-1');
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'debug: publisher-1\n' });
    const id = 'asked-for-by-a-test';
    const headers = { 'x-api-key': TEST_API_KEY, 'x-request-id': id };
    const answer = await get(`${cluster.publisher.url}/api/ws/stats?token=secret`, headers);
    expect(answer.headers.get('x-request-id')).toBe(id);
    await expect.poll(() => debugLines().join('\n'), PATIENCE).toContain(`"reqId":"${id}"`);
    expect(JSON.parse((await run('log-level', 'silent', '--json')).stdout)).toEqual({
      changed: ['gateway-1', 'gateway-2', 'publisher-1'],
    });
    const said = () => cluster.gateways[0]?.output;
    await expect
      .poll(said, PATIENCE)
      .toMatch(/"to":"silent","by":"user ops","msg":"log_level_changed"/);
    const before = cluster.gateways[0]?.output;
    await RawClient.refusal(wsUrl(cluster.url(0), '/ws/notifications'));
    expect(cluster.gateways[0]?.output).toBe(before);
    await run('log-level', 'info');
    await RawClient.refusal(wsUrl(cluster.url(0), '/ws/notifications'));
    await expect.poll(() => cluster.gateways[0]?.output, PATIENCE).not.toBe(before);
  });

  test('leque log-level refuses an unknown node, an unknown level and a token without the scope', async () => {
    const nobody = await run('log-level', 'debug', '--node', 'gateway-9');
    expect(nobody).toMatchObject({ code: 1, stderr: expect.stringContaining('gateway-9') });
    expect((await run('log-level', 'loud')).code).toBe(2);
    const url = `${cluster.publisher.url}/api/log-level`;
    expect((await post(url, { level: 'debug' }, { 'x-api-key': TEST_API_KEY })).status).toBe(403);
    const authorization = `Bearer ${ADMIN}`;
    expect((await post(url, { level: 'loud' }, { authorization })).status).toBe(400);
  });
});

for (const [name, start] of [
  ['one process', startEmbedded],
  ['processes of their own', startClustered],
] as const) {
  test(`no token, no key and no payload is in the logs of ${name}, whatever their level`, async () => {
    await using system = await start({
      LOG_LEVEL: 'trace',
      AUTH_MODE: 'required',
      PUBLISH_API_KEYS: TEST_API_KEY,
    });
    const token = tokenFor('alice', { projects: ['P'], scope: 'publish' });
    const expired = expiredTokenFor('alice');
    const url = wsUrl(system.node.url, '/ws/project/P');
    await using client = await RawClient.connect(`${url}?token=${token}`);
    await using _other = await RawClient.connect(url, { token });
    await using _pair = await RawClient.connect(url, { protocols: ['leque', `bearer.${token}`] });
    await using _socket = await SocketClient.connect(system.node.url, { token });
    await RawClient.refusal(`${url}?token=${expired}`);
    await RawClient.refusal(url, { token: `${expired}x` });
    await SocketClient.refusal(system.node.url, { token: `${token}x` });
    client.send({ action: 'auth', token: expired });
    await client.first('error');
    const event = { type: 'note', project_id: 'P', data: { text: 'the payload' } };
    const publish = `${system.publisher.url}/api/publish`;
    await post(publish, event, { authorization: `Bearer ${token}` });
    await post(publish, event, { 'x-api-key': TEST_API_KEY });
    await post(publish, event, { 'x-api-key': `${TEST_API_KEY}x` });
    await post(publish, '{"type":"note","data":"the payload', { authorization: `Bearer ${token}` });
    await post(`${publish}?token=${token}`, event);
    await client.first('note');
    const logged = () => system.node.output + system.publisher.output;
    await expect.poll(logged, PATIENCE).toContain('session_opened');
    const signature = (jwt: string) => jwt.split('.')[2] ?? jwt;
    for (const secret of [signature(token), signature(expired), TEST_API_KEY, 'the payload']) {
      expect(logged()).not.toContain(secret);
    }
  });
}

test('leque completion prints a script with every command for each shell', async () => {
  const { stdout: help } = await leque(['--help']);
  const commands = [...help.matchAll(/^ {2}([a-z-]+) /gm)].map(([, name]) => name);
  expect(commands).toContain('trace');
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { code, stdout } = await leque(['completion', shell]);
    expect(code).toBe(0);
    for (const name of commands.filter((each) => each !== 'help')) expect(stdout).toContain(name);
  }
  expect((await leque(['completion', 'cmd'])).code).toBe(2);
});

test('a misspelt command is named, and the nearest one suggested', async () => {
  expect(await leque(['trase', 'x'])).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/unknown command 'trase'\n\(Did you mean trace\?\)/),
  });
});

test('a misspelt option is named, and the nearest one suggested', async () => {
  expect(await leque(['stats', '--wacht'])).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/unknown option '--wacht'\n\(Did you mean --watch\?\)/),
  });
});

test('without a command, the help is printed and the exit code is that of a mistake', async () => {
  const { stdout: help } = await leque(['--help']);
  expect(await leque([])).toEqual({ code: 2, stdout: '', stderr: help });
});

test('--version prints the version of the package', async () => {
  expect(await leque(['--version'])).toEqual({
    code: 0,
    stdout: `${manifest.version}\n`,
    stderr: '',
  });
});

test.each(
  [
    ['text/html', '<h1>It works</h1>'],
    ['application/json', '{"hello":"world"}'],
  ].flatMap(([type, body]) =>
    ['stats', 'trace x', 'log-level info', 'publish --type x'].map((line) => ({
      type,
      body,
      line,
    })),
  ),
)(
  'an answer of another server, $type, is a sentence for leque $line',
  async ({ line, ...answer }) => {
    const other = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': String(answer.type) }).end(answer.body);
    });
    await using stack = new AsyncDisposableStack();
    stack.defer(() => void other.close());
    await once(other.listen(0, '127.0.0.1'), 'listening');
    const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
    expect(await leque([...line.split(' '), '--url', url])).toEqual({
      code: 1,
      stdout: '',
      stderr: `200 from ${url}, but not an answer of Leque; is that the right URL?\n`,
    });
  },
);
