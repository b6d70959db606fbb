import { once } from 'node:events';
import {
  Agent,
  createServer,
  type IncomingMessage,
  type RequestListener,
  request,
} from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { LoadBalancer } from '../src/cluster/load-balancer.ts';

/** A server that answers with its name, the path, and the bytes of the body. */
async function startEcho(name: string) {
  return await startTarget(async (asked, response) => {
    const { length } = await text(asked);
    response.end(`${name} ${asked.url} ${length}`);
  });
}

/** A server that opens a session of Engine.IO for a request without one. */
async function startEngine(name: string) {
  return await startTarget(({ url = '' }, response) => {
    response.end(url.includes('sid=') ? name : `0{"sid":"of-${name}"}`);
  });
}

async function startTarget(listener: RequestListener) {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    target: { port: (server.address() as AddressInfo).port, ready: true },
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}

test('requests on one connection that ask for HTTP/2 reach the process of their path', async () => {
  await using publisher = await startEcho('publisher');
  await using gateway = await startEcho('gateway');
  await using balancer = new LoadBalancer({
    publisher: publisher.target,
    gateways: [gateway.target],
  });
  await balancer.listen(0);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ask = async (path: string, bytes: number) => {
    const headers = { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c' };
    const options = { agent, headers, host: '127.0.0.1', port: balancer.port, timeout: 5000 };
    const asking = request({ ...options, path, method: 'POST' }).end('x'.repeat(bytes));
    const [answer] = (await once(asking, 'response')) as [IncomingMessage];
    return await text(answer);
  };
  expect(await ask('/api/publish', 60_000)).toBe('publisher /api/publish 60000');
  expect(await ask('/socket.io/', 200)).toBe('gateway /socket.io/ 200');
  expect(await ask('/api/publish', 200)).toBe('publisher /api/publish 200');
  agent.destroy();
});

/** A publisher, two gateways with sessions, and the load balancer before them. */
async function startBalanced(basePath?: string) {
  const servers = [await startEcho('publisher'), await startEngine('a'), await startEngine('b')];
  const [publisher, ...gateways] = servers.map(({ target }) => target);
  if (publisher === undefined) throw new Error('the publisher is the first server');
  const balancer = new LoadBalancer({ publisher, gateways, basePath });
  await balancer.listen(0);
  return {
    get: async (path: string) => {
      const url = `http://127.0.0.1:${balancer.port}${path}`;
      return await (await fetch(url, { signal: AbortSignal.timeout(5000) })).text();
    },
    async [Symbol.asyncDispose]() {
      await balancer[Symbol.asyncDispose]();
      await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
    },
  };
}

test.each([
  ['/socket.io/', undefined],
  ['/socket.io', undefined],
  ['/realtime/socket.io/', '/realtime'],
  ['/realtime/socket.io', '/realtime'],
  ['/socket.io/', '/realtime'],
])('requests of a session at %s reach its gateway, with BASE_PATH=%s', async (path, basePath) => {
  await using balanced = await startBalanced(basePath);
  expect(await balanced.get(`${path}?EIO=4`)).toContain('of-a');
  expect(await balanced.get(`${path}?EIO=4`)).toContain('of-b');
  for (const name of ['a', 'b', 'b', 'a']) {
    expect(await balanced.get(`${path}?EIO=4&sid=of-${name}`)).toBe(name);
  }
  const publish = `${basePath ?? ''}/api/publish`;
  expect(await balanced.get(publish)).toBe(`publisher ${publish} 0`);
});

test.each(['%', '%zz', '%C3', '%00', 'of-nobody'])(
  'a request with the foreign session %s is answered',
  async (id) => {
    await using balanced = await startBalanced();
    expect(await balanced.get(`/socket.io/?EIO=4&sid=${id}`)).toMatch(/^[ab]$/);
  },
);

test('an answer whose server dies within the body ends for the client, too', async () => {
  await using dying = await startTarget((_request, response) => {
    response.writeHead(200, { 'content-length': '100' });
    response.write('x'.repeat(10), () => response.destroy());
  });
  await using balancer = new LoadBalancer({ publisher: dying.target, gateways: [] });
  await balancer.listen(0);
  const url = `http://127.0.0.1:${balancer.port}/api/publish`;
  const answer = await fetch(url, { signal: AbortSignal.timeout(5000) });
  await expect(answer.text()).rejects.toThrow('terminated');
});

test.each([{ trailer: 'x-sum' }, { trailer: 'x-sum', 'content-length': '0' }])(
  'a request with %o, whose trailers never come, is answered',
  async (headers) => {
    await using gateway = await startEcho('gateway');
    await using balancer = new LoadBalancer({
      publisher: gateway.target,
      gateways: [gateway.target],
    });
    await balancer.listen(0);
    const socket = connect(balancer.port, '127.0.0.1');
    const lines = Object.entries({ host: 'leque.test', connection: 'close', ...headers });
    const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    socket.write(`GET /x HTTP/1.1\r\n${head}\r\n`);
    expect(await text(socket)).toContain('gateway /x 0');
  },
);
