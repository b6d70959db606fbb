import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Inbox, post, tokenFor } from '@leque/lab';
import { type Cluster, startCluster, TEST_API_KEY } from '@leque/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const PROGRAM = join(import.meta.dirname, 'python', 'client.py');
const PACKAGES = join(import.meta.dirname, '../../node_modules/.cache/python-clients');
const WITH_KEY = { authorization: `Bearer ${TEST_API_KEY}` };

/** A Python handler raises an error when an event has more arguments than parameters. */
describe.each(['4', '5'])('python-socketio %s', (version) => {
  const packages = join(PACKAGES, version);
  const isHere = existsSync(packages);
  const why = isHere ? '' : ' (skipped: its packages could not be installed)';
  let cluster: Cluster;
  beforeAll(async () => {
    if (isHere) cluster = await startCluster({ gateways: 2, env: { SOCKETIO_EIO3: 'on' } });
  });
  afterAll(() => cluster?.[Symbol.asyncDispose]());

  test.skipIf(!isHere).each(['websocket', 'polling'])(
    `[IO10.1] [IO10.3] [IO8.17] [IO5.1] connects over %s beside a handler in the root namespace, receives, and resumes on another node after a \`kill -9\`${why}`,
    async (transport) => {
      const user = crypto.randomUUID();
      const run = (node: number, cursors: object) => {
        const url = cluster.gateways[node]?.url ?? '';
        const args = [version, url, tokenFor(user), JSON.stringify(cursors), transport];
        return new PythonClient(packages, args);
      };
      const tell = async (type: string) => {
        const event = { type, data: {}, user_id: user };
        const { status } = await post(`${cluster.publisher.url}/api/publish`, event, WITH_KEY);
        expect(status).toBe(200);
      };
      await using first = run(0, {});
      await first.next('root');
      await first.next('connected');
      expect(await first.next('connections.count')).toEqual({ count: 1 });
      await first.next('pong');
      await tell('task.custom');
      await first.next('task.custom');
      const { channel, cursor } = await first.next('task.event');
      await cluster.kill(0);
      await first.next('disconnect');
      await tell('told');

      await using second = run(1, { [String(channel)]: cursor });
      expect(await second.next('resumed')).toMatchObject({
        channels: { [String(channel)]: { recovered: true } },
      });
      await second.next('told');
      expect(second.names.filter((name) => name.startsWith('t'))).toEqual(['told']);
      await cluster.gateways[0]?.restart();
    },
  );
});

type Payload = Readonly<Record<string, unknown>>;

class PythonClient implements AsyncDisposable {
  readonly #inbox = new Inbox<readonly [name: string, payload: Payload]>();
  readonly #child: ChildProcess;

  constructor(packages: string, args: readonly string[]) {
    const child = spawn('python3', [PROGRAM, ...args], {
      env: { ...process.env, PYTHONPATH: packages, PYTHONDONTWRITEBYTECODE: '1' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    createInterface({ input: child.stdout }).on('line', (line) =>
      this.#inbox.put(JSON.parse(line)),
    );
    this.#child = child;
  }

  get names(): readonly string[] {
    return this.#inbox.items.map(([name]) => name);
  }

  /** Resolves with the argument of the first event of this name. */
  async next(name: string): Promise<Payload> {
    const [, payload] = await this.#inbox.first(([each]) => each === name);
    return payload;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
  }
}
