import { networkInterfaces } from 'node:os';
import { freePorts, type ServerProcess, startLeque } from '@leque/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const loopback = networkInterfaces()['lo'] ?? networkInterfaces()['lo0'] ?? [];
const hasIPv6 = loopback.some(({ family }) => family === 'IPv6');

let leque: ServerProcess;
const ports: number[] = [];
beforeAll(async () => {
  ports.push(await freePorts(1), await freePorts(1));
  leque = await startLeque({
    AUTH_MODE: 'open',
    HOST: hasIPv6 ? '::' : '0.0.0.0',
    BASE_PATH: '/realtime',
    SOCKETIO_PORT: String(ports[0]),
    OPERATIONS_PORT: String(ports[1]),
  });
  ports.push(Number(new URL(leque.url).port));
});
afterAll(() => leque[Symbol.asyncDispose]());

const NOT_THERE = [
  ['//ws/notifications', 404],
  ['/WS/notifications', 404],
  ['/realtime//ws/notifications', 404],
  ['/Realtime/ws/notifications', 404],
  ['/socket.iox', 404],
] as const;

describe('one process with BASE_PATH and HOST=::', () => {
  test.each(['/realtime', ''])('serves its paths beneath "%s" on every port', async (base) => {
    for (const port of ports) {
      const { status } = await fetch(`http://127.0.0.1:${port}${base}/readyz`);
      expect(status, `port ${port}`).toBe(200);
    }
    const [socketIo] = ports;
    for (const slash of ['', '/']) {
      const url = `http://127.0.0.1:${socketIo}${base}/socket.io${slash}?EIO=4&transport=polling`;
      expect(await (await fetch(url)).text()).toContain('"sid"');
      const raw = await fetch(`${leque.url}${base}/ws/notifications${slash}`);
      expect(raw.status).toBe(426);
    }
  });

  test('prints and serves links to the pages at the port for operators', async () => {
    const [, operations, main] = ports;
    const listen = `:${operations}/docs/listen#port=${main}`;
    await expect.poll(() => leque.output).toContain(`  Try it      http://localhost${listen}`);
    expect(leque.output).toContain(`  HTTP API    http://localhost:${operations}/docs\n`);
    const root = await fetch(`${leque.url}/`, { redirect: 'manual' });
    const location = root.headers.get('location') ?? '';
    expect(location).toBe(`http://127.0.0.1${listen}`);
    expect((await fetch(location)).status).toBe(200);
    expect((await fetch(`http://127.0.0.1:${operations}/docs`)).status).toBe(200);
  });

  test.each(NOT_THERE)(
    '%s is %i, with a sentence on how paths are written',
    async (path, status) => {
      const answer = await fetch(leque.url + path);
      expect(answer.status).toBe(status);
      const { detail } = (await answer.json()) as { detail: string };
      if (path !== '/socket.iox') expect(detail).toContain('lower case, with single slashes');
    },
  );

  test.skipIf(!hasIPv6)(
    `is reached by IPv6 and IPv4${hasIPv6 ? '' : ' (skipped: this machine has no IPv6)'}`,
    async () => {
      for (const port of ports) {
        for (const host of ['[::1]', '127.0.0.1']) {
          expect((await fetch(`http://${host}:${port}/readyz`)).status).toBe(200);
        }
      }
      const page = { origin: 'http://[::1]:5173' };
      const main = ports.at(-1);
      const url = `http://[::1]:${main}/socket.io/?EIO=4&transport=polling`;
      expect((await fetch(url, { headers: page })).status).toBe(200);
      expect(leque.output).toContain('AUTH_MODE=open lets everybody');
    },
  );
});

test.each([
  ['[::]', /HOST must be the address to listen on, without brackets/],
  [
    'leque.invalid',
    /^HOST=leque\.invalid is neither an address nor a name that this machine knows$/m,
  ],
  ['192.0.2.77', /^HOST=192\.0\.2\.77 is no address of this machine$/m],
])('HOST=%s ends the start with one sentence', async (HOST, sentence) => {
  await expect(startLeque({ AUTH_MODE: 'open', HOST })).rejects.toThrow(sentence);
});
