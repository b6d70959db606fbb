import { execFile } from 'node:child_process';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { promisify } from 'node:util';
import {
  cpuMicroseconds,
  descendantsOf,
  get,
  isAlive,
  leque,
  ProcessGroup,
  RawClient,
  SocketClient,
  wsUrl,
} from '@leque/lab';
import {
  type Env,
  freePorts,
  RunningProcess,
  ServerProcess,
  startLeque,
  TEST_JWT_SECRET,
} from '@leque/testkit';
import { describe, expect, test } from 'vitest';

const run = promisify(execFile);
const ENTRY = 'apps/leque/src/main.ts';
const TOKEN = /\bey[\w-]+\.[\w-]+\.[\w-]+/;

describe('leque dev', () => {
  test('prints its addresses, a token that works, and a `curl` line that works', async () => {
    await using server = await startLeque();
    const said = () => server.output;
    await expect.poll(said).toContain('curl');
    const { port } = new URL(server.url);
    for (const address of ['/ws/notifications', '/events', '/docs']) {
      expect(said()).toMatch(new RegExp(`(ws|http)://[^/\\s]+:${port}${address}`));
    }
    expect(said()).toContain('new WebSocket(');
    const token = TOKEN.exec(said())?.[0] ?? '';
    await using socket = await SocketClient.connect(server.url, { token });
    expect(await socket.first('connected')).toMatchObject({ userId: 'demo' });
    await using raw = await RawClient.connect(wsUrl(server.url, '/ws/notifications'), { token });

    const [line = ''] = /curl -X POST[\s\S]*?'\s*$/m.exec(said()) ?? [];
    const { stdout } = await run('sh', ['-c', line.replace(/^curl/, 'curl --silent')]);
    expect(JSON.parse(stdout)).toMatchObject({ channel: 'project:PROJ-001' });
    expect(await raw.first('notification')).toMatchObject({ project_id: 'PROJ-001' });
  });

  test.for([
    { AUTH_MODE: 'open' },
    { AUTH_MODE: 'required' },
    { AUTH_MODE: 'open', HOST: '0.0.0.0' },
  ])('prints lines of at most 80 columns, one address in each, with %o', async (env) => {
    await using server = await startLeque(env);
    await expect.poll(() => server.output).toContain('Ctrl-C stops it');
    const { output } = server;
    for (const line of output.split('\n').filter((each) => !each.startsWith("  TOKEN='"))) {
      expect(line.length, line).toBeLessThanOrEqual(80);
      expect(line.match(/\w+:\/\//g)?.length ?? 0, line).toBeLessThanOrEqual(1);
    }
    expect(output.match(/\bey[\w-]+\.[\w-]+\.[\w-]+/g)).toHaveLength(1);
    expect(output.includes('Warning: AUTH_MODE=open')).toBe(env.HOST === '0.0.0.0');
  });

  test('prints lines with a token where one is required', async () => {
    await using server = await startLeque({ AUTH_MODE: 'required' });
    const said = () => server.output;
    await expect.poll(said).toContain('curl');
    const [, listening = ''] = /new WebSocket\('([^']+)' \+ TOKEN\)/.exec(said()) ?? [];
    const [assignment = '', token] = /TOKEN='([^']+)'/.exec(said()) ?? [];
    await using raw = await RawClient.connect(`${listening}${token}`);
    const [line = ''] = /curl -X POST[\s\S]*?}'\s*$/m.exec(said()) ?? [];
    const quiet = line.replace(/^curl/, 'curl --silent');
    const { stdout } = await run('sh', ['-c', `${assignment}\n${quiet}`]);
    expect(JSON.parse(stdout)).toMatchObject({ channel: 'project:PROJ-001' });
    expect(await raw.first('notification')).toMatchObject({ project_id: 'PROJ-001' });
  });

  test('names a busy port in one line', async () => {
    await using server = await startLeque();
    const { port } = new URL(server.url);
    const { code, output } = await runToEnd(['dev'], { PORT: port, SOCKETIO_PORT: '0' });
    expect(code).toBeGreaterThan(0);
    expect(output.trim()).toBe(
      `Port ${port} is in use, perhaps by another Leque: stop that one, ` +
        `or choose another port, for example PORT=${Number(port) + 1}`,
    );
  });

  test('names an address that the machine does not have in one line', async () => {
    const env = { PORT: String(await freePorts(1)), SOCKETIO_PORT: '0', HOST: '192.0.2.77' };
    const { code, output } = await runToEnd(['dev'], env);
    expect({ code, output: output.trim() }).toEqual({
      code: 1,
      output: 'HOST=192.0.2.77 is no address of this machine',
    });
  });

  test.for(['SIGINT', 'SIGTERM'] as const)(
    '[LIVE] %s to npm alone ends the server, too',
    { timeout: 30_000 },
    async (signal) => {
      const env = { PORT: String(await freePorts(1)), SOCKETIO_PORT: '0' };
      // The scripts before it would install what another test may be about to use.
      await using npm = new ProcessGroup(['npm', 'start', '--ignore-scripts'], env);
      await expect.poll(() => npm.output, { timeout: 15_000 }).toContain('Leque is ready');
      const beneath = descendantsOf(npm.pid);
      process.kill(npm.pid, signal);
      await expect.poll(() => beneath.filter(isAlive), { timeout: 5000 }).toEqual([]);
      await npm.ended;
    },
  );

  test('reports that it waits for Redis, and not that it is ready', async () => {
    await using running = new RunningProcess(ENTRY, ['dev'], {
      PORT: String(await freePorts(1)),
      SOCKETIO_PORT: '0',
      REDIS_URL: `redis://127.0.0.1:${await freePorts(1)}`,
      JWT_SECRET: TEST_JWT_SECRET,
    });
    await expect.poll(() => running.output, { timeout: 10_000 }).toContain('Leque waits: ');
    expect(running.output).not.toContain('Leque is ready');
  });

  // Time on the clock would also be that of whatever else the machine does.
  test.runIf(process.platform === 'linux')('is ready after less than 3 s of CPU time', async () => {
    await using server = await startLeque({ NODE_DISABLE_COMPILE_CACHE: '1' });
    expect(cpuMicroseconds([server.pid])).toBeLessThan(3_000_000);
  });

  test('serves the same on SOCKETIO_PORT', async () => {
    const socketIoPort = await freePorts(1);
    await using _server = await startLeque({ SOCKETIO_PORT: String(socketIoPort) });
    const url = `http://127.0.0.1:${socketIoPort}`;
    for (const transport of ['websocket', 'polling'] as const) {
      const error = await SocketClient.refusal(url, { transport });
      expect(error.message).toMatch(/token/);
    }
    await using _raw = await RawClient.connect(wsUrl(url, '/ws/notifications'));
    expect((await get(`${url}/api/ws/stats`)).status).toBe(200);
  });

  test('reports that SOCKETIO_PORT is busy, and serves without it', async () => {
    const taken = createServer();
    const port = await new Promise<number>((resolve) => {
      taken.listen(0, '127.0.0.1', () => resolve((taken.address() as { port: number }).port));
    });
    try {
      await using server = await startLeque({ SOCKETIO_PORT: String(port) });
      await expect.poll(() => server.output).toContain(String(port));
      await using _raw = await RawClient.connect(wsUrl(server.url, '/ws/notifications'));
    } finally {
      taken.close();
    }
  });

  test.for(['SIGINT', 'SIGTERM'] as const)(
    '%s ends it cleanly, with clients of both kinds connected',
    async (signal) => {
      await using server = await startLeque();
      await expect.poll(() => server.output).toMatch(TOKEN); // it is printed once it is ready
      const token = TOKEN.exec(server.output)?.[0] ?? '';
      await using raw = await RawClient.connect(wsUrl(server.url, '/ws/notifications'));
      await using _socket = await SocketClient.connect(server.url, { token });
      await using _polling = await SocketClient.connect(server.url, {
        token,
        transport: 'polling',
      });
      const startedAt = performance.now();
      expect(await server.stop(signal)).toEqual({ code: 0, signal: null });
      expect(performance.now() - startedAt).toBeLessThan(5000);
      expect([1001, 1012]).toContain((await raw.closed).code);
      expect(server.output).not.toMatch(/Error|Warning/);
      expect(server.output.trimEnd()).toMatch(/^Leque has stopped\.$/m);
    },
  );

  test('refuses a page whose name was pointed to this machine', async () => {
    await using server = await startLeque();
    const { port } = new URL(server.url);
    const ask = (host: string) =>
      new Promise<number | undefined>((resolve, reject) => {
        request(`${server.url}/api/ws/stats`, { headers: { host } }, (response) => {
          response.resume();
          resolve(response.statusCode);
        })
          .once('error', reject)
          .end();
      });
    for (const name of ['localhost', '127.0.0.1', '[::1]']) {
      expect(await ask(`${name}:${port}`)).toBe(200);
    }
    expect(await ask(`rebound.example:${port}`)).toBe(403);
  });

  test('listens on loopback only unless HOST is set', async () => {
    const port = await freePorts(1);
    await using server = await ServerProcess.start({
      name: 'leque dev',
      entry: ENTRY,
      args: ['dev'],
      port,
      env: { HOST: '', SOCKETIO_PORT: '0', JWT_SECRET: TEST_JWT_SECRET },
    });
    expect(server.running).toBe(true);
    const outside = Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .filter(({ family, internal }) => family === 'IPv4' && !internal);
    for (const { address } of outside) {
      await expect(fetch(`http://${address}:${port}/healthz`)).rejects.toThrow();
    }
  });
});

describe('leque token', () => {
  test('prints a token that the server accepts', async () => {
    const { code, output } = await runToEnd(
      ['token', '--user', 'alice', '--projects', 'PROJ-001,PROJ-002', '--scope', 'publish'],
      { JWT_SECRET: TEST_JWT_SECRET },
    );
    expect(code).toBe(0);
    const token = output.trim();
    expect(token).toMatch(/^ey[\w-]+\.[\w-]+\.[\w-]+$/);
    await using server = await startLeque({ AUTH_MODE: 'required' });
    for (const project of ['PROJ-001', 'PROJ-002']) {
      await using _client = await RawClient.connect(wsUrl(server.url, `/ws/project/${project}`), {
        token,
      });
    }
    const other = wsUrl(server.url, '/ws/project/PROJ-003');
    expect(await RawClient.refusal(other, { token })).toMatchObject({ status: 403 });
  });

  test('reports everything that is wrong with its options at once', async () => {
    const { code, output } = await runToEnd(
      ['token', '--user', '*', '--scope', 'everything', '--ttl', 'soon'],
      { JWT_SECRET: TEST_JWT_SECRET },
    );
    expect(code).toBeGreaterThan(0);
    for (const option of ['--user', '--scope', '--ttl']) expect(output).toContain(option);
  });

  test('warns of an id that is percent-encoded, beside the token', async () => {
    const { code, stdout, stderr } = await leque(['token', '--user', 'auth0%7C64f0'], {
      env: { JWT_SECRET: TEST_JWT_SECRET },
    });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ey[\w-]+\.[\w-]+\.[\w-]+\n$/);
    expect(stderr).toMatch(/^warning: --user "auth0%7C64f0": .*not percent-encoded\n$/);
  });
});

async function runToEnd(
  args: readonly string[],
  env: Env,
): Promise<{ code: number | null; output: string }> {
  await using running = new RunningProcess(ENTRY, args, env);
  const { code } = await running.exited;
  return { code, output: running.output };
}
