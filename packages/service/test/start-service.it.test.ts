import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { type AddressInfo, connect, createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import type { AuthenticationOutcomes, Broker, ClusterState, Fact } from '@leque/core';
import { expect, test } from 'vitest';
import { type Backend, type Role, type ServiceSettings, startService } from '../src/index.ts';

const settings = {
  NODE_ID: 'test-1',
  HOST: '127.0.0.1',
  PORT: 0,
  LOG_LEVEL: 'silent',
  DRAIN_GRACE: 0.2,
  AUTH_MODE: 'open',
} as const;

/** A process of fakes that notes in which order it closes what it has. */
async function startRecorded(more: Partial<ServiceSettings> = {}) {
  const closed: string[] = [];
  const facts: Fact[] = [];
  const health = { reason: undefined as string | undefined };
  let port = 0;
  const close = (name: string) => async () => void closed.push(name);
  const server = await startService(
    { name: 'leque-test', version: '1.2.3', settings: { ...settings, ...more } },
    {
      createTelemetry: () => telemetryInto(facts),
      openBackend: () => backendWith(health, close('backend')),
      openTracing: async () => ({ ...NO_SPANS, close: close('tracing') }),
      async serve(context) {
        context.app.get('/api/nodes', () => ({}));
        context.app.get('/fails', () => Promise.reject(new Error('secret detail')));
        context.app.addHook('onClose', close('server'));
        const role: Role = {
          status: () => ({ app: 'publisher', version: '1.2.3', stored: 0 }),
          drain: close('clients'),
        };
        return [role];
      },
      async listenElsewhere({ server }) {
        ({ port } = server.address() as AddressInfo);
        return [{ close: close('listener') }];
      },
    },
  );
  return {
    closed,
    facts,
    health,
    port: () => port,
    get: (path: string) => fetch(`http://127.0.0.1:${port}${path}`),
    stop: () => server.stop(),
    stopTimeoutMs: server.stopTimeoutMs,
  };
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

test('[LIVE] a process closes listeners, clients, server, backend and tracing in this order', async () => {
  const running = await startRecorded();
  expect(running.stopTimeoutMs).toBe(10_200);
  await running.stop();
  expect(running.closed).toEqual(['listener', 'clients', 'server', 'backend', 'tracing']);
});

test('[HON] a process that is about to end is not ready, serves on, and closes nothing in the grace', async () => {
  const running = await startRecorded();
  expect((await running.get('/readyz')).status).toBe(200);
  const stopped = running.stop();
  const answer = await running.get('/readyz');
  expect(answer.status).toBe(503);
  expect(answer.headers.get('connection')).toBe('close');
  expect(await answer.json()).toEqual({ status: 'not ready', reasons: ['draining'] });
  expect(running.closed).toEqual([]);
  await stopped;
});

test('[HON] a process whose broker is away is alive and not ready', async () => {
  const running = await startRecorded();
  running.health.reason = 'subscriber: connect ECONNREFUSED 10.0.0.1:6379';
  const answer = await running.get('/readyz');
  const reasons = ['the broker is away or refuses; the log of this process says why'];
  expect(await answer.json()).toEqual({ status: 'not ready', reasons });
  await running.get('/readyz');
  expect(running.facts).toEqual([{ type: 'not_ready', detail: running.health.reason }]);
  expect((await running.get('/healthz')).status).toBe(200);
  await running.stop();
});

test('every answer says that it is no page', async () => {
  const running = await startRecorded();
  for (const path of ['/healthz', '/readyz', '/metrics', '/fails', '/nowhere', '/%E0']) {
    const { headers } = await running.get(path);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
  }
  await running.stop();
});

test('operators have a port of their own, and their routes are nowhere else', async () => {
  const port = await freePort();
  const running = await startRecorded({ OPERATIONS_PORT: port });
  const there = (path: string) => fetch(`http://127.0.0.1:${port}${path}`);
  const statuses = async (path: string) => [
    (await running.get(path)).status,
    (await there(path)).status,
  ];
  for (const path of ['/metrics', '/api/nodes', '/%6detrics', '/api/n%6Fdes']) {
    expect((await statuses(path))[0], path).toBe(404);
  }
  expect(await statuses('/metrics')).toEqual([404, 200]);
  expect(await statuses('/api/nodes?x=1')).toEqual([404, 200]);
  expect(await statuses('/healthz')).toEqual([200, 200]);
  expect(await statuses('/readyz')).toEqual([200, 200]);
  expect(await statuses('/fails')).toEqual([500, 404]);
  expect(await statuses('/socket.io/?EIO=4&transport=polling')).toEqual([404, 404]);
  await running.stop();
  await expect(there('/metrics')).rejects.toThrow();
});

/** Status of the answer to a request with this `Host`. */
async function statusUnder(host: string, url: string): Promise<number | undefined> {
  const asking = request(url, { headers: { host }, agent: false, timeout: 5000 }).end();
  const [answer] = (await once(asking, 'response')) as [IncomingMessage];
  answer.resume();
  return answer.statusCode;
}

const PATHS = ['/healthz', '/readyz', '/metrics', '/api/nodes'];

test('in open mode no path is served under a foreign host name', async () => {
  const operations = await freePort();
  const running = await startRecorded({ ALLOWED_HOSTS: 'leque.test', OPERATIONS_PORT: operations });
  for (const port of [running.port(), operations]) {
    for (const path of PATHS) {
      const under = (host: string) => statusUnder(host, `http://127.0.0.1:${port}${path}`);
      expect(await under('evil.test'), path).toBe(403);
      // Probes and Prometheus ask by address, containers by a name without a dot.
      const served = ['leque.test', 'leque.test:80', '10.0.0.7:9001', '[::1]:9001', 'gateway'];
      for (const host of served) expect([200, 404], `${path} ${host}`).toContain(await under(host));
    }
  }
  expect(await statusUnder('evil.test', `http://127.0.0.1:${running.port()}/nowhere`)).toBe(403);
  await running.stop();
});

test('where tokens are required, any name is served unless ALLOWED_HOSTS lists some', async () => {
  const statuses = async (settings: Partial<ServiceSettings>) => {
    const running = await startRecorded({ AUTH_MODE: 'required', ...settings });
    const status = await statusUnder('evil.test', `http://127.0.0.1:${running.port()}/metrics`);
    await running.stop();
    return status;
  };
  expect(await statuses({})).toBe(200);
  expect(await statuses({ ALLOWED_HOSTS: 'leque.test' })).toBe(403);
});

test.each([
  { what: 'a head that is too large', head: `X: ${'x'.repeat(40_000)}`, status: 431 },
  { what: 'a malformed head', head: 'no header', status: 400 },
])('[AD] a request with $what is answered with $status and reported', async ({ head, status }) => {
  const running = await startRecorded();
  const socket = connect(running.port(), '127.0.0.1');
  socket.write(`GET /healthz HTTP/1.1\r\nHost: x\r\n${head}\r\n\r\n`);
  expect(await text(socket)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  await expect.poll(() => running.facts).toContainEqual({ type: 'request_broken', status });
  await running.stop();
});

test('errors and unknown paths are problem documents, and bugs disclose nothing', async () => {
  const running = await startRecorded();
  const failure = await running.get('/fails');
  expect(failure.headers.get('content-type')).toMatch('application/problem+json');
  expect(await failure.json()).toMatchObject({ code: 'internal', detail: 'internal error' });
  expect(running.facts).toMatchObject([{ type: 'failure', where: 'leque-test' }]);
  expect(await (await running.get('/nowhere')).json()).toMatchObject({
    code: 'not_found',
    detail: 'there is no GET /nowhere',
  });
  await running.stop();
});

const NO_SPANS = {
  publishing: () => ({ traceparent: undefined, end: () => {} }),
  fannedOut: () => {},
};

function telemetryInto(facts: Fact[]) {
  return {
    report: (fact: Fact) => void facts.push(fact),
    contentType: 'text/plain',
    render: async () => '',
    watchBroker: () => {},
    watchReadiness: () => {},
    watchAuthentications: (_: AuthenticationOutcomes) => {},
  };
}

function backendWith(
  health: { readonly reason: string | undefined },
  close: () => Promise<void>,
): Backend {
  const request = async () => ({ answers: [], silent: 0 });
  const control = { handle: () => {}, request, close };
  return {
    broker: { health: () => healthOf(health.reason) } as unknown as Broker,
    state: {} as ClusterState,
    control,
    connect: async () => {},
    close,
  };
}

function healthOf(reason: string | undefined): ReturnType<Broker['health']> {
  return reason === undefined ? { ok: true } : { ok: false, reason };
}
