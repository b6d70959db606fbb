import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Server, System } from '@leque/lab';
import { type Env, freePorts, isPortFree, TEST_JWT_SECRET } from '@leque/testkit';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const COMPOSE_DEADLINE_MS = 120_000;
const KEPT_OUTPUT = 256 * 1024;
/** The port at which the seed documents expect Leque. */
const PORT = 9001;

const run = promisify(execFile);

export interface Composed extends System {
  readonly prometheusUrl: string;
  /** Runs `docker compose` on this system's project, and returns its standard output. */
  compose(...args: string[]): Promise<string>;
}

/**
 * Starts docker-compose.yml as a project of its own from the built images, at localhost:9001 unless
 * that port is taken. Clients and publishers connect through nginx, so every part of the system is
 * the same server to them.
 */
export async function startComposed(env: Env = {}, services = ['nginx']): Promise<Composed> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'leque-compose-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const override = join(folder, 'override.json'); // JSON is YAML
  const environment = { JWT_SECRET: TEST_JWT_SECRET, DRAIN_GRACE: '0', DRAIN_TIMEOUT: '1', ...env };
  const changed = { gateway: { environment }, publisher: { environment } };
  await writeFile(override, JSON.stringify({ services: changed }));
  const port = (await isPortFree(PORT)) ? PORT : await freePorts(1);
  const project = `leque-test-${randomUUID().slice(0, 8)}`;
  const ports = {
    LEQUE_PORT: String(port),
    SOCKETIO_PORT: String(await freePorts(1)),
    PROMETHEUS_PORT: String(await freePorts(1)),
    ALERTMANAGER_PORT: String(await freePorts(1)),
  };
  const files = ['-f', 'docker-compose.yml', '-f', override];
  const compose = async (...args: string[]) => {
    const { stdout } = await run('docker', ['compose', '-p', project, ...files, ...args], {
      cwd: ROOT,
      env: { ...process.env, ...ports },
      timeout: COMPOSE_DEADLINE_MS,
      maxBuffer: 64 * 1024 * 1024,
    });
    return stdout;
  };
  stack.defer(async () => {
    await compose('down', '--volumes', '--timeout', '1');
  });
  // A test of the connection limit needs one gateway, because each has a limit of its own.
  const gateways = env['WEBSOCKET_MAX_CONNECTIONS'] === undefined ? 3 : 1;
  const up = ['up', '--detach', '--wait', '--no-build', '--scale', `gateway=${gateways}`];
  await compose(...up, ...services);
  const logs = stack.use(new Output(project));
  const node: Server = {
    url: `http://localhost:${port}`,
    get output() {
      return logs.text;
    },
    async restart() {
      await compose('kill', 'gateway');
      await compose(...up, ...services);
    },
  };
  const owner = stack.move();
  return {
    node,
    otherNode: node,
    publisher: node,
    prometheusUrl: `http://localhost:${ports.PROMETHEUS_PORT}`,
    compose,
    [Symbol.asyncDispose]: () => owner.disposeAsync(),
  };
}

/** Collects the logs of the gateways. */
class Output implements AsyncDisposable {
  text = '';
  readonly #child: ChildProcess;

  constructor(project: string) {
    const args = ['compose', '-p', project, 'logs', '--follow', '--no-log-prefix', 'gateway'];
    this.#child = spawn('docker', args, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.text = (this.text + text).slice(-KEPT_OUTPUT);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill();
  }
}
