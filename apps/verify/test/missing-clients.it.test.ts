import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tokenFor } from '@leque/lab';
import { Random, startCluster } from '@leque/testkit';
import { describeOnOwnRedis } from '@leque/testkit/contracts';
import { expect, test } from 'vitest';
import { ClientRecord } from '../src/clients/client-record.ts';
import type { ClientKind, ClientSpec } from '../src/clients/client-spec.ts';
import { RawAuditedClient } from '../src/clients/raw-audited-client.ts';
import { SocketIoAuditedClient } from '../src/clients/socketio-audited-client.ts';
import { describeMissingClients } from '../src/run/missing-clients.ts';

const PATIENCE = { timeout: 20_000 };
/** Starting gateways takes long on a busy machine. */
const TIMEOUT_MS = 90_000;

describeOnOwnRedis('a client that cannot connect', () => {
  test(
    'reports that polling needs a load balancer with sticky sessions',
    async () => {
      await using cluster = await startCluster({ gateways: 2, env: {} });
      await using loadBalancer = await startRoundRobin(cluster.gateways.map(({ url }) => url));
      const { spec, record } = clientOf('polling', tokenFor('U1'));
      const { url } = loadBalancer;
      await using client = new SocketIoAuditedClient(spec, { record, url, lost: () => {} });
      client.start();
      await expect.poll(() => client.failure, PATIENCE).toMatch(/HTTP 400 "Session ID unknown"/);
      expect(client.failure).toMatch(/needs a load balancer that sends all requests of a client/);
      expect(client.open).toBe(false);
    },
    TIMEOUT_MS,
  );

  test(
    'reports the refusal of its token',
    async () => {
      await using cluster = await startCluster({ gateways: 1, env: {} });
      const url = cluster.gateways[0]?.url ?? '';
      const raw = clientOf('notifications', 'not-a-token');
      const random = new Random(1);
      await using first = new RawAuditedClient(raw.spec, { ...raw, nextUrl: () => url, random });
      const other = clientOf('socketio', 'not-a-token');
      await using second = new SocketIoAuditedClient(other.spec, { ...other, url, lost: () => {} });
      first.start();
      second.start();
      await expect.poll(() => first.failure, PATIENCE).toMatch(/401/);
      await expect.poll(() => second.failure, PATIENCE).toMatch(/JSON Web Token/);
    },
    TIMEOUT_MS,
  );
});

test('missing clients are counted by kind and reason', () => {
  const missing = [
    { id: 'polling-0', kind: 'polling', reason: 'refused' },
    { id: 'polling-1', kind: 'polling', reason: 'refused' },
    { id: 'project-0', kind: 'project', reason: 'closed with 1013' },
  ] as const;
  expect(describeMissingClients(missing, 100)).toBe(
    '3 of 100 clients could not connect:\n  2 × polling: refused\n  1 × project: closed with 1013',
  );
});

function clientOf(kind: ClientKind, token: string) {
  const spec: ClientSpec = { id: `${kind}-0`, kind, token, channels: ['user:U1'], projects: [] };
  return { spec, record: new ClientRecord(spec, 'run') };
}

/** A load balancer without stickiness: each connection goes to the next gateway in turn. */
async function startRoundRobin(urls: readonly string[]) {
  let turn = 0;
  const server = createServer((client) => {
    const port = Number(new URL(urls[turn % urls.length] ?? '').port);
    turn += 1;
    const gateway = connect(port, '127.0.0.1');
    for (const socket of [client, gateway]) socket.on('error', () => {});
    client.pipe(gateway).pipe(client);
    client.on('close', () => gateway.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => void server.close(),
  };
}
