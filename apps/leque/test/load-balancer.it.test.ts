import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { LoadBalancer } from '../src/cluster/load-balancer.ts';

/** A server that answers with its name, the path, and the bytes of the body. */
async function startEcho(name: string) {
  const server = createServer(async (asked, response) => {
    const { length } = await text(asked);
    response.end(`${name} ${asked.url} ${length}`);
  }).listen(0, '127.0.0.1');
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
