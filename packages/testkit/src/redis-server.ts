import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePorts } from './free-ports.ts';
import type { RedisOptions, TestRedis } from './test-redis.ts';

const START_TIMEOUT_MS = 10_000;
const STOP_TIMEOUT_MS = 5000;
const ATTEMPTS = 3;

/**
 * Runs redis-server in a folder, and ends both when its standard input closes without a word: that
 * happens however this process ends, also when nobody gives it the time to clean up.
 */
const SUPERVISE = `
exec 3<&0
redis-server --dir "$@" 3<&- &
server=$!
echo "pid $server"
(read -r word <&3 || { kill -9 "$server"; rm -rf "$1"; }) >/dev/null 2>&1 &
wait "$server"
`;

interface RunningServer {
  readonly supervisor: ChildProcess;
  readonly pid: number;
}

/** A redis-server on a free port of 127.0.0.1, in a temporary folder. */
export async function startRedisServer(options: RedisOptions): Promise<TestRedis> {
  const dir = await mkdtemp(join(tmpdir(), 'leque-redis-'));
  const launchHere = (port: number) => launch([dir, ...serverArgs(port, options)]);
  let { port, server } = await launchOnFreePort(launchHere);
  const end = async (signal: 'SIGTERM' | 'SIGKILL') => {
    await endServer(server, signal);
  };
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    async restart() {
      await end('SIGTERM');
      server = await launchHere(port);
    },
    async [Symbol.asyncDispose]() {
      await end('SIGKILL');
      await rm(dir, { recursive: true, force: true });
    },
  };
}

function serverArgs(port: number, { appendonly = false }: RedisOptions): string[] {
  return [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--appendonly',
    appendonly ? 'yes' : 'no',
    '--appendfsync',
    'always',
  ];
}

/** Another process may take a free port before Redis does. */
async function launchOnFreePort(
  launchOn: (port: number) => Promise<RunningServer>,
): Promise<{ port: number; server: RunningServer }> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePorts(1);
    try {
      return { port, server: await launchOn(port) };
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
    }
  }
}

async function launch(args: string[]): Promise<RunningServer> {
  const supervisor = spawn('sh', ['-c', SUPERVISE, 'redis', ...args], {
    stdio: ['pipe', 'pipe', 'ignore'],
    detached: true, // what a terminal sends to its process group is not for Redis
  });
  supervisor.unref(); // a test that forgets it must not hang for it
  const lines = createInterface({ input: supervisor.stdout });
  const output: string[] = [];
  let pid: number | undefined;
  const timeout = setTimeout(() => supervisor.kill('SIGKILL'), START_TIMEOUT_MS);
  try {
    for await (const line of lines) {
      output.push(line);
      pid ??= Number(/^pid (\d+)$/.exec(line)?.[1]) || undefined;
      if (pid !== undefined && line.includes('Ready to accept connections')) {
        supervisor.stdout.resume();
        return { supervisor, pid };
      }
    }
  } finally {
    clearTimeout(timeout);
    lines.close();
  }
  throw new Error(`redis-server did not start:\n${output.join('\n')}`);
}

async function endServer(server: RunningServer, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  const { supervisor, pid } = server;
  if (supervisor.exitCode !== null || supervisor.signalCode !== null) return;
  const ended = once(supervisor, 'exit');
  supervisor.stdin?.end('ending\n'); // the folder stays: Redis may be started again in it
  const patience = setTimeout(() => process.kill(pid, 'SIGKILL'), STOP_TIMEOUT_MS);
  process.kill(pid, signal);
  await ended.finally(() => clearTimeout(patience));
}
