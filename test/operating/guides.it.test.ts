import { execFile } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProcessGroup, post, program, RawClient, tokenFor, wsUrl } from '@leque/lab';
import { type ServerProcess, startLeque } from '@leque/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { codeOf, oneOf } from '../support/pages.ts';

const ROOT = join(import.meta.dirname, '../..');
const PORT = /localhost:9001/g;
const PATIENCE = { timeout: 15_000 };

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(file: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const options = { cwd: ROOT, env: { ...process.env, ...env }, timeout: 20_000 };
  return new Promise((resolve) => {
    execFile(file, [...args], options, (error, stdout, stderr) => {
      resolve({ code: Number(error?.code ?? 0), stdout, stderr });
    });
  });
}

describe('code of the pages works when it is pasted:', () => {
  let server: ServerProcess;
  let folder: string;
  beforeAll(async () => {
    server = await startLeque();
    folder = await mkdtemp(join(tmpdir(), 'leque-guide-'));
    await symlink(join(ROOT, 'test/node_modules'), join(folder, 'node_modules'));
    await writeFile(join(folder, 'package.json'), '{"type":"commonjs"}'); // as `npm init` makes it
  });
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  /** Code that talks to the server of this test. */
  const here = (code: string) => code.replaceAll(PORT, `localhost:${new URL(server.url).port}`);

  test('the first event of README, published in a shell, reaches a page that listens', async () => {
    await using client = await RawClient.connect(wsUrl(server.url, '/ws/notifications'));
    const line = here(await oneOf('README.md', 'sh', '"type":"notification"'));
    expect(await run('sh', ['-c', line])).toMatchObject({ code: 0 });
    const [shown = '{}'] = await codeOf('README.md', 'json');
    const event = await client.first('notification');
    expect(event.data).toEqual(JSON.parse(shown).data);
    expect(Object.keys(event)).toEqual(Object.keys(JSON.parse(shown)));
  });

  test('the Socket.IO client of README, saved as listen.mjs beside a package.json of npm, hears its event', async () => {
    const code = here(await oneOf('README.md', 'js', 'socket.io-client'));
    const file = join(folder, 'listen.mjs');
    await writeFile(file, code.replace('THE_TOKEN', tokenFor('demo')));
    await using listener = new ProcessGroup([process.execPath, file], {});
    const line = here(await oneOf('README.md', 'sh', '"type":"task.completed"'));
    await expect
      .poll(async () => {
        await run('sh', ['-c', line]);
        return listener.output;
      }, PATIENCE)
      .toContain("status: 'completed'");
  });

  test('the Socket.IO client of README says why it is refused', async () => {
    const code = here(await oneOf('README.md', 'js', 'socket.io-client'));
    const file = join(folder, 'refused.mjs');
    await writeFile(file, code);
    await using listener = new ProcessGroup([process.execPath, file], {});
    await expect.poll(() => listener.output, PATIENCE).toContain('not a JSON Web Token');
  });

  test('[GAP] the command of README that subscribes brings what came after its cursor', async () => {
    const event = (n: number) => ({ type: 'note', project_id: 'PROJ-001', data: { n } });
    const { body } = await post(`${server.url}/api/publish`, event(1));
    await post(`${server.url}/api/publish`, event(2));
    await using client = await RawClient.connect(wsUrl(server.url, '/ws/notifications?resume=1'));
    const code = await oneOf('README.md', 'js', 'since: lastCursor');
    const ws = { send: (text: string) => client.send(JSON.parse(text)) };
    new Function('ws', 'lastCursor', code)(ws, body['cursor']);
    expect((await client.first('subscribed')).data).toMatchObject({ recovered: true });
    expect((await client.first('note')).data).toEqual({ n: 2 });
  });

  test('the function of the guide for Socket.IO systems publishes to the user in `data`', async () => {
    const token = tokenFor('demo');
    await using client = await RawClient.connect(wsUrl(server.url, '/ws/notifications'), { token });
    const file = join(folder, 'publish.mjs');
    await writeFile(file, await oneOf('docs/moving-from-socketio.md', 'js', 'fetch('));
    const ended = await run(process.execPath, [file], { LEQUE_URL: server.url });
    expect(ended).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(await client.first('task.completed')).toMatchObject({ user_id: 'demo' });
  });

  test.runIf(program('python3') !== undefined)(
    'the function of the guide for WebSocket systems publishes from Python',
    async () => {
      await using project = await RawClient.connect(wsUrl(server.url, '/ws/project/PROJ-001'));
      await using logs = await RawClient.connect(wsUrl(server.url, '/ws/logs'));
      const code = await oneOf('docs/moving-from-websocket.md', 'python', 'urlopen');
      const ended = await run('python3', ['-c', code], { LEQUE_URL: server.url });
      expect(ended).toEqual({ code: 0, stdout: '', stderr: '' });
      for (const type of ['story_created', 'task_completed', 'notification']) {
        expect(await project.first(type)).toMatchObject({ project_id: 'PROJ-001' });
      }
      expect((await logs.first('log_message')).data).toMatchObject({ message: 'Build iniciado' });
    },
  );
});
