import { connect, createServer } from 'node:net';
import { freePorts, RunningProcess } from '@leque/testkit';
import { describe, expect, test } from 'vitest';
import { post } from './support/http.ts';
import { descendantsOf, isAlive } from './support/processes.ts';
import { RawClient, wsUrl } from './support/raw-client.ts';

const STARTS = { timeout: 15_000, interval: 50 };
const PROGRAMS = 4;

describe('leque cluster', () => {
  test.for(['SIGINT', 'SIGTERM'] as const)(
    'serves on three gateways and a publisher, and leaves nothing behind after %s',
    { timeout: 40_000 },
    async (signal) => {
      const basePort = await freePorts(PROGRAMS);
      await using running = new RunningProcess('apps/leque/src/main.ts', ['cluster'], {
        BASE_PORT: String(basePort),
        LOG_LEVEL: 'info',
      });
      const ports = Array.from({ length: PROGRAMS }, (_, index) => basePort + index);
      const url = (index: number) => `http://127.0.0.1:${basePort + index}`;
      for (const port of ports) {
        await expect.poll(() => readiness(port, running), STARTS).toBe(200);
      }
      await using stack = new AsyncDisposableStack();
      const clients: RawClient[] = [];
      for (const gateway of [1, 2, 3]) {
        const client = await RawClient.connect(wsUrl(url(gateway), '/ws/project/PROJ-001'));
        clients.push(stack.use(client));
      }
      const event = { type: 'x', project_id: 'PROJ-001', data: {} };
      expect((await post(`${url(0)}/api/publish`, event)).status).toBe(200);
      await Promise.all(clients.map((client) => client.first('x')));

      const beneath = descendantsOf(running.pid);
      expect(beneath.length).toBeGreaterThanOrEqual(PROGRAMS);
      expect(await running.stop(signal)).toEqual({ code: 0, signal: null });
      await expect.poll(() => beneath.filter(isAlive), { timeout: 2000 }).toEqual([]);
      expect(await Promise.all(ports.map(accepts))).toEqual(ports.map(() => false));
      for (const name of ['publisher', 'gateway-1', 'gateway-2', 'gateway-3']) {
        expect(running.output).toMatch(new RegExp(`^${name} +\\| `, 'm'));
      }
    },
  );

  test('when a port is taken it says so, and leaves nothing behind', async () => {
    const basePort = await freePorts(PROGRAMS);
    await using _other = await occupy(basePort + 2);
    await using running = new RunningProcess('apps/leque/src/main.ts', ['cluster'], {
      BASE_PORT: String(basePort),
    });
    const beneath = new Set<number>();
    const watch = setInterval(() => {
      for (const pid of descendantsOf(running.pid)) beneath.add(pid);
    }, 50);
    const { code } = await running.exited.finally(() => clearInterval(watch));
    expect(code).toBeGreaterThan(0);
    expect(running.output).toContain(String(basePort + 2));
    await expect.poll(() => [...beneath].filter(isAlive), { timeout: 2000 }).toEqual([]);
  }, 30_000);
});

async function readiness(port: number, running: RunningProcess): Promise<unknown> {
  if (!running.running) return running.output;
  try {
    return (await fetch(`http://127.0.0.1:${port}/readyz`)).status;
  } catch (error) {
    return String(error);
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

async function occupy(port: number): Promise<AsyncDisposable> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve);
  });
  return {
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}
