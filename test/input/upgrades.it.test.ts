import { execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { startEmbedded } from '@leque/lab';
import { freePorts, startCluster } from '@leque/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const run = promisify(execFile);
const DEADLINE_MS = 20_000;
const JAVA = join(import.meta.dirname, 'java', 'PublishTwice.java');
const SIZES = [200, 60_000];
/** The headers with which HTTP clients ask for HTTP/2. */
const H2C = ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABk'];
const WEBSOCKET = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];

const servers = { dev: 0, socketIo: 0, publisher: 0, gateway: 0, operations: 0 };
type Name = keyof typeof servers;
const stack = new AsyncDisposableStack();

beforeAll(async () => {
  const [socketIo, operations] = [await freePorts(1), await freePorts(1)];
  const env = { SOCKETIO_PORT: String(socketIo), OPERATIONS_PORT: String(operations) };
  const dev = stack.use(await startEmbedded(env));
  const cluster = stack.use(await startCluster({ gateways: 1, env: { AUTH_MODE: 'open' } }));
  const portOf = (url: string) => Number(new URL(url).port);
  Object.assign(servers, {
    dev: portOf(dev.node.url),
    socketIo,
    publisher: portOf(cluster.publisher.url),
    gateway: portOf(cluster.url(0)),
    operations,
  });
});
afterAll(() => stack.disposeAsync());

/** Everything that a server sends until it ends the connection. */
async function answersOf(server: Name, asked: string): Promise<string> {
  const socket = connect(servers[server], '127.0.0.1');
  socket.setTimeout(DEADLINE_MS, () => socket.destroy(new Error('no end of the answer')));
  socket.write(asked);
  return await text(socket);
}

function requestOf(line: string, headers: readonly string[], body = ''): string {
  return `${[line, ...headers].join('\r\n')}\r\n\r\n${body}`;
}

function statusesOf(answers: string): number[] {
  return [...answers.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, status]) => Number(status));
}

const HOST = 'Host: localhost';
const LAST = 'Connection: close, Upgrade, HTTP2-Settings';

/** Publishes with an upgrade to HTTP/2. */
async function publish(server: Name, bytes: number, agent: Agent) {
  const event = { type: 'x', channel: 'all', data: { padding: 'é'.repeat(bytes / 2) } };
  const asking = request({
    ...{ agent, host: '127.0.0.1', port: servers[server], path: '/api/publish', method: 'POST' },
    headers: {
      'content-type': 'application/json',
      connection: 'Upgrade, HTTP2-Settings',
      upgrade: 'h2c',
      'http2-settings': 'AAMAAABk',
    },
    timeout: DEADLINE_MS,
  });
  asking.end(JSON.stringify(event));
  const [answer] = (await once(asking, 'response')) as [IncomingMessage];
  await text(answer);
  return { status: answer.statusCode, reused: asking.reusedSocket };
}

describe('[AD.13] an upgrade that leads to no WebSocket is ignored', () => {
  test.each(['dev', 'socketIo', 'publisher'] as const)(
    'by the server %s, which reads the bodies of publishes on one connection',
    async (server) => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      for (const [index, bytes] of [...SIZES, ...SIZES].entries()) {
        expect(await publish(server, bytes, agent)).toEqual({ status: 200, reused: index > 0 });
      }
      agent.destroy();
    },
  );

  test.each(['dev', 'socketIo', 'publisher', 'gateway', 'operations'] as const)(
    'by the probes of the server %s',
    async (server) => {
      const [, ...h2c] = H2C;
      const asked = requestOf('GET /readyz HTTP/1.1', [HOST, LAST, ...h2c]);
      expect(statusesOf(await answersOf(server, asked))).toEqual([200]);
    },
  );

  test.each(['dev', 'socketIo', 'gateway'] as const)(
    'by the polling of Socket.IO at the server %s',
    async (server) => {
      const [, ...h2c] = H2C;
      const line = 'GET /socket.io/?EIO=4&transport=polling HTTP/1.1';
      const answer = await answersOf(server, requestOf(line, [HOST, LAST, ...h2c]));
      expect(statusesOf(answer)).toEqual([200]);
      expect(answer).toContain('"sid"');
    },
  );

  const hasCurl = spawnSync('curl', ['--version']).stdout?.includes('HTTP2') ?? false;
  test.skipIf(!hasCurl).each(['dev', 'publisher'] as const)(
    `when curl --http2 publishes to the server %s${hasCurl ? '' : ' (skipped: no curl with HTTP/2)'}`,
    async (server) => {
      const url = `http://127.0.0.1:${servers[server]}/api/publish`;
      for (const bytes of SIZES) {
        const event = { type: 'x', channel: 'all', data: { padding: 'x'.repeat(bytes) } };
        const sent = ['-d', JSON.stringify(event), '-H', 'Content-Type: application/json', url];
        const shown = ['-s', '-o', '/dev/null', '-w', '%{http_code} '];
        // Both transfers have the options; curl uses one connection for them.
        const args = ['--http2', ...shown, ...sent, '--next', '--http2', ...shown, ...sent];
        const { stdout } = await run('curl', args, { timeout: DEADLINE_MS });
        expect(stdout).toBe('200 200 ');
      }
    },
  );

  const hasJava = spawnSync('java', ['-version']).status === 0;
  test.skipIf(!hasJava)(
    `when the JDK's HttpClient publishes to any server${hasJava ? '' : ' (skipped: no Java)'}`,
    async () => {
      const ports = [servers.dev, servers.socketIo, servers.publisher];
      const urls = ports.map((port) => `http://127.0.0.1:${port}/api/publish`);
      const { stdout } = await run('java', [JAVA, ...urls], { timeout: DEADLINE_MS });
      expect(stdout).toBe('200 200 200 200\n'.repeat(urls.length));
    },
    DEADLINE_MS,
  );
});

describe('[AD.13] no server answers 101 to', () => {
  const path = '/ws/notifications';
  test.each<
    [what: string, servers: readonly Name[], request: string, status: number, says: string]
  >([
    [
      'a WebSocket at another path',
      ['dev', 'gateway'],
      requestOf('GET /readyz HTTP/1.1', [HOST, ...WEBSOCKET]),
      404,
      'there is no WebSocket at this path',
    ],
    [
      'a WebSocket at a publisher',
      ['publisher'],
      requestOf(`GET ${path} HTTP/1.1`, [
        HOST,
        'Connection: close, Upgrade',
        ...WEBSOCKET.slice(1),
      ]),
      404,
      'gateways',
    ],
    [
      'a WebSocket at the port of operators',
      ['operations'],
      requestOf(`GET ${path} HTTP/1.1`, [
        HOST,
        'Connection: close, Upgrade',
        ...WEBSOCKET.slice(1),
      ]),
      404,
      '',
    ],
    [
      'a request without Host',
      ['dev', 'gateway', 'publisher'],
      requestOf(`GET ${path} HTTP/1.1`, WEBSOCKET),
      400,
      '',
    ],
    [
      'HTTP/1.0',
      ['dev', 'gateway'],
      requestOf(`GET ${path} HTTP/1.0`, [HOST, ...WEBSOCKET]),
      426,
      'HTTP/1.1',
    ],
    [
      'a GET without Upgrade',
      ['dev', 'gateway'],
      requestOf(`GET ${path} HTTP/1.1`, [HOST, 'Connection: close']),
      426,
      'is a WebSocket',
    ],
    [
      'an upgrade to another protocol',
      ['dev', 'gateway'],
      requestOf(`GET ${path} HTTP/1.1`, [HOST, LAST, ...H2C.slice(1)]),
      426,
      'is a WebSocket',
    ],
    [
      'an upgrade with a body',
      ['dev', 'gateway'],
      requestOf(
        `GET ${path} HTTP/1.1`,
        [HOST, 'Connection: close, Upgrade', ...WEBSOCKET.slice(1), 'Content-Length: 4'],
        'body',
      ),
      426,
      'is a WebSocket',
    ],
    [
      'an upgrade by POST',
      ['dev', 'gateway'],
      requestOf(`POST ${path} HTTP/1.1`, [
        HOST,
        'Connection: close, Upgrade',
        ...WEBSOCKET.slice(1),
        'Content-Length: 0',
      ]),
      404,
      '',
    ],
  ])('%s', async (...[, names, asked, status, says]) => {
    for (const server of names) {
      const answer = await answersOf(server, asked);
      expect(statusesOf(answer), `${server}: ${answer}`).toEqual([status]);
      expect(answer).toContain(says);
      if (status !== 400) expect(answer.toLowerCase()).toContain('application/problem+json');
    }
  });
});

test.each(Object.keys(servers) as Name[])(
  '[AD] the server %s answers a head that is too large with a problem document',
  async (server) => {
    const asked = requestOf('GET /readyz HTTP/1.1', [HOST, `X: ${'x'.repeat(40_000)}`]);
    const answer = await answersOf(server, asked);
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1\.1 431 /);
    expect(head.toLowerCase()).toContain('content-type: application/problem+json');
    expect(JSON.parse(body)).toMatchObject({ status: 431, code: 'header_too_large' });
  },
);
