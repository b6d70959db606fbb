import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  descendantsOf,
  isAlive,
  ProcessGroup,
  post,
  RawClient,
  SocketClient,
  wsUrl,
} from '@leque/lab';
import { freePorts, RunningProcess } from '@leque/testkit';
import { describe, expect, test } from 'vitest';

const ENTRY = 'apps/leque/src/main.ts';
const STARTS = { timeout: 15_000, interval: 50 };
const ENDS = { timeout: 5000, interval: 50 };
const PROGRAMS = 4;
const TOKEN = /\bey[\w-]+\.[\w-]+\.[\w-]+/;

describe('leque cluster', () => {
  test.for(['SIGINT', 'SIGTERM'] as const)(
    'serves on three gateways and a publisher, and leaves no process, port or file behind after %s',
    { timeout: 40_000 },
    async (signal) => {
      const basePort = await freePorts(PROGRAMS);
      await using folder = await temporaryFolder();
      await using running = new RunningProcess(ENTRY, ['cluster'], {
        PORT: '0',
        BASE_PORT: String(basePort),
        LOG_LEVEL: 'info',
        TMPDIR: folder.path,
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
      expect(await folder.entries()).toEqual([]);
      for (const name of ['publisher', 'gateway-1', 'gateway-2', 'gateway-3']) {
        expect(running.output).toMatch(new RegExp(`^${name} +\\| `, 'm'));
      }
    },
  );

  test('[LIVE] leaves nothing running when it is killed, loses its terminal or is stopped twice', {
    timeout: 60_000,
  }, async () => {
    const endings: Record<string, (cluster: ProcessGroup) => void> = {
      killed: ({ pid }) => process.kill(pid, 'SIGKILL'),
      'terminal closed': (cluster) => cluster.signal('SIGHUP'),
      'stopped twice': (cluster) => {
        cluster.signal('SIGINT');
        cluster.signal('SIGINT');
      },
    };
    for (const [ending, end] of Object.entries(endings)) {
      await using folder = await temporaryFolder();
      await using cluster = await startReady({ TMPDIR: folder.path });
      const beneath = descendantsOf(cluster.pid);
      end(cluster);
      await expect.poll(() => beneath.filter(isAlive), { ...ENDS, message: ending }).toEqual([]);
      await expect.poll(() => folder.entries(), { ...ENDS, message: ending }).toEqual([]);
    }
  });

  test('[LIVE] leaves no node running when it is killed while it starts', {
    timeout: 40_000,
  }, async () => {
    await using folder = await temporaryFolder();
    const basePort = await freePorts(PROGRAMS);
    await using cluster = startGroup({
      PORT: '0',
      BASE_PORT: String(basePort),
      TMPDIR: folder.path,
    });
    const nodes = () => descendantsOf(cluster.pid).length >= PROGRAMS + 1;
    await expect.poll(nodes, { ...STARTS, interval: 1 }).toBe(true);
    const beneath = descendantsOf(cluster.pid);
    process.kill(cluster.pid, 'SIGKILL');
    // A starting node notices the loss of its parent once it has started.
    await expect.poll(() => beneath.filter(isAlive), STARTS).toEqual([]);
    await expect.poll(() => folder.entries(), ENDS).toEqual([]);
  });

  test('stops Redis after the nodes although Ctrl-C reaches all processes at once', {
    timeout: 40_000,
  }, async () => {
    await using cluster = await startReady({ LOG_LEVEL: 'info' });
    cluster.signal('SIGINT');
    await cluster.ended;
    expect(cluster.output).not.toMatch(/broker_disconnected|ECONN|"level":[56]0/);
  });

  test('[HON] reports that it is ready once every node is, and prints a token and commands to try', {
    timeout: 40_000,
  }, async () => {
    const basePort = await freePorts(PROGRAMS);
    const env = { PORT: '0', BASE_PORT: String(basePort) };
    await using running = new RunningProcess(ENTRY, ['cluster'], env);
    await expect.poll(() => running.output, STARTS).toContain('Leque is ready');
    for (let port = basePort; port < basePort + PROGRAMS; port += 1) {
      expect(await readiness(port, running)).toBe(200);
      expect(running.output).toMatch(new RegExp(`http://127\\.0\\.0\\.1:${port}\\b`));
    }
    expect(running.output).toMatch(/\bey[\w-]+\.[\w-]+\.[\w-]+/);
    for (const line of ['new WebSocket(', 'curl -X POST', 'redis-cli -u']) {
      expect(running.output).toContain(line);
    }
  });

  test('gives each process a port of its own for operators', { timeout: 40_000 }, async () => {
    const basePort = await freePorts(2 * PROGRAMS);
    const operations = basePort + PROGRAMS;
    const env = { BASE_PORT: String(basePort), OPERATIONS_PORT: String(operations) };
    await using cluster = await startReady(env);
    const metrics = async (port: number) =>
      (await fetch(`http://127.0.0.1:${port}/metrics`)).status;
    for (let index = 0; index < PROGRAMS; index += 1) {
      expect(await metrics(basePort + index)).toBe(404);
      expect(await metrics(operations + index)).toBe(200);
    }
    expect(cluster.output).toContain(`http://127.0.0.1:${operations}/docs`);
    const [page = ''] = /http:\S+\/docs\/listen#port=\d+$/m.exec(cluster.output) ?? [];
    expect((await fetch(page)).status).toBe(200);
    const origin = new URL(page).origin;
    const api = `http://127.0.0.1:${page.split('=')[1]}/api/publish`;
    const event = { type: 'x', project_id: 'P', data: {} };
    expect((await post(api, event, { origin })).status).toBe(200);
  });

  test.for([
    { what: 'busy', offset: 0 },
    { what: 'taken by BASE_PORT', offset: -1 },
  ])('refuses an operators port that is $what', { timeout: 30_000 }, async ({ offset }) => {
    const basePort = await freePorts(2 * PROGRAMS);
    const operations = basePort + PROGRAMS + offset;
    await using _other = await occupy(basePort + PROGRAMS);
    await using running = new RunningProcess(ENTRY, ['cluster'], {
      PORT: '0',
      BASE_PORT: String(basePort),
      OPERATIONS_PORT: String(operations),
    });
    expect((await running.exited).code).toBeGreaterThan(0);
    expect(running.output.trim()).toBe(inUse(operations, 'OPERATIONS_PORT'));
  });

  test('restarts a node that was killed while the others go on', {
    timeout: 40_000,
  }, async () => {
    const basePort = await freePorts(PROGRAMS);
    await using cluster = await startReady({ BASE_PORT: String(basePort) });
    const url = (index: number) => `http://127.0.0.1:${basePort + index}`;
    await using other = await RawClient.connect(wsUrl(url(2), '/ws/project/P'));
    const [, gateway] =
      new RegExp(`:${basePort + 1} .* pid (\\d+)$`, 'm').exec(cluster.output) ?? [];
    process.kill(Number(gateway), 'SIGKILL');
    await expect.poll(() => cluster.output, ENDS).toMatch(/^gateway-1 +\| ended: SIGKILL; /m);
    await expect.poll(() => cluster.output, STARTS).toMatch(/^gateway-1 +\| is ready again, pid/m);
    await using client = await RawClient.connect(wsUrl(url(1), '/ws/project/P'));
    await post(`${url(0)}/api/publish`, { type: 'x', project_id: 'P', data: {} });
    await Promise.all([other.first('x'), client.first('x')]);
  });

  test('[GAP] has one address, whose clients go on at another gateway when theirs is killed', {
    timeout: 60_000,
  }, async () => {
    const port = await freePorts(1);
    await using cluster = await startReady({ PORT: String(port) });
    const url = `http://localhost:${port}`;
    await using listener = new RunningProcess(ENTRY, ['tail', 'project:P', '--url', url], {});
    const polling = { token: TOKEN.exec(cluster.output)?.[0] ?? '', transport: 'polling' } as const;
    await using socket = await SocketClient.connect(url, polling);
    const publish = async (n: number) => {
      await post(`${url}/api/publish`, { type: 'note', project_id: 'P', data: { n } });
    };
    const heard = () => listener.output.match(/"n":\d+/g) ?? [];
    await expect
      .poll(async () => {
        await publish(0);
        return heard().length;
      }, STARTS)
      .toBeGreaterThan(0);
    // The gateway of the listener is among the first two, as the other client has the next one.
    const pids = [...cluster.output.matchAll(/^ {2}Gateway [12] .* pid (\d+)$/gm)];
    for (const [, pid] of pids) process.kill(Number(pid), 'SIGKILL');
    for (const n of [1, 2, 3]) await publish(n);
    await expect.poll(heard, STARTS).toEqual(expect.arrayContaining(['"n":1', '"n":2', '"n":3']));
    expect(heard().slice(-3)).toEqual(['"n":1', '"n":2', '"n":3']);
    expect(listener.output).toContain('back, nothing lost');
    await socket.first('connected');
  });

  test('names a busy port in one line before it starts anything', async () => {
    const basePort = await freePorts(PROGRAMS);
    await using _other = await occupy(basePort + 2);
    await using folder = await temporaryFolder();
    await using running = new RunningProcess(ENTRY, ['cluster'], {
      PORT: '0',
      BASE_PORT: String(basePort),
      TMPDIR: folder.path,
    });
    const beneath = new Set<number>();
    const watch = setInterval(() => {
      for (const pid of descendantsOf(running.pid)) beneath.add(pid);
    }, 50);
    const { code } = await running.exited.finally(() => clearInterval(watch));
    expect(code).toBeGreaterThan(0);
    expect(running.output.trim()).toBe(inUse(basePort + 2, 'BASE_PORT'));
    await expect.poll(() => [...beneath].filter(isAlive), { timeout: 2000 }).toEqual([]);
    expect(await folder.entries()).toEqual([]);
  }, 30_000);
});

function inUse(port: number, variable: string): string {
  return (
    `Port ${port} is in use, perhaps by another Leque: stop that one, ` +
    `or choose another port, for example ${variable}=${port + 1}`
  );
}

async function startReady(env: Readonly<Record<string, string>>): Promise<ProcessGroup> {
  const cluster = startGroup({
    PORT: '0',
    BASE_PORT: String(await freePorts(PROGRAMS)),
    ...env,
  });
  await expect.poll(() => cluster.output, STARTS).toContain('Leque is ready');
  return cluster;
}

function startGroup(env: Readonly<Record<string, string>>): ProcessGroup {
  return new ProcessGroup([process.execPath, ENTRY, 'cluster'], env);
}

/** A temporary folder for the files of the cluster. */
async function temporaryFolder(): Promise<
  AsyncDisposable & { readonly path: string; entries(): Promise<string[]> }
> {
  const path = await mkdtemp(join(tmpdir(), 'leque-test-'));
  return {
    path,
    entries: () => readdir(path),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}

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
