import { leque, post, tokenFor } from '@leque/lab';
import { RunningProcess, type ServerProcess, startLeque, startNodes } from '@leque/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const ENTRY = 'apps/leque/src/main.ts';
const PATIENCE = { timeout: 15_000 };

/** `leque tail …` as long as the test needs it. */
function tail(...args: readonly string[]): RunningProcess {
  return new RunningProcess(ENTRY, ['tail', ...args], {});
}

async function publish(url: string, event: object): Promise<Record<string, unknown>> {
  const { status, body } = await post(`${url}/api/publish`, event);
  expect(status).toBe(200);
  return body;
}

const note = (n: number) => ({ type: 'note', project_id: 'P', data: { n } });

describe('leque tail', () => {
  let server: ServerProcess;
  beforeAll(async () => {
    server = await startLeque();
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  test('prints missed events since a cursor, then live events, and ends after --count', async () => {
    const { cursor } = await publish(server.url, note(1));
    await publish(server.url, note(2));
    await using process = tail(
      'project:P',
      '--url',
      server.url,
      '--since',
      String(cursor),
      '--count',
      '2',
    );
    await expect.poll(() => process.output, PATIENCE).toContain('note  {"n":2}');
    await publish(server.url, note(3));
    expect(await process.exited).toMatchObject({ code: 0 });
    expect(process.output.match(/"n":\d/g)).toEqual(['"n":2', '"n":3']);
  });

  test('escapes control characters and characters that turn text around', async () => {
    const { cursor } = await publish(server.url, note(1));
    const text = '\u001b[2J\u009b31m\u007f\u202e';
    await publish(server.url, { type: 'note', project_id: 'P', data: { text } });
    const since = ['--since', String(cursor), '--count', '1'];
    await using process = tail('project:P', '--url', server.url, ...since);
    expect(await process.exited).toMatchObject({ code: 0 });
    const escaped = String.raw`{"text":"\u001b[2J\u009b31m\u007f\u202e"}`;
    expect(process.output).toContain(escaped);
  });

  test('--json prints each event as clients get it', async () => {
    await using process = tail(
      'logs',
      '--url',
      server.url,
      '--level',
      'error',
      '--count',
      '1',
      '--json',
    );
    const log = (level: string) =>
      publish(server.url, { type: 'log_message', data: { level, message: level } });
    await expect
      .poll(async () => {
        await log('info');
        await log('error');
        return process.running;
      }, PATIENCE)
      .toBe(false);
    const event = JSON.parse(process.output.trim());
    expect(event).toMatchObject({ type: 'log_message', channel: 'logs', data: { level: 'error' } });
  });

  test('follows the channel of a user with a token of that user, and refuses another one', async () => {
    const token = tokenFor('alice');
    await using process = tail('user:alice', '--url', server.url, '--token', token, '--count', '1');
    await expect
      .poll(async () => {
        await publish(server.url, { type: 'hello', user_id: 'alice', data: {} });
        return process.running;
      }, PATIENCE)
      .toBe(false);
    expect(process.output).toContain('hello  {}');
    const { code, stderr } = await leque([
      'tail',
      'user:bob',
      '--url',
      server.url,
      '--token',
      token,
    ]);
    expect(code).toBe(1);
    expect(stderr).toBe('user:bob is for its own user, and this token is for user alice\n');
    const nobody = await leque(['tail', 'user:bob', '--url', server.url]);
    expect(nobody.stderr).toBe(
      'user:bob is for its own user, and there is no token; try --token "$(leque token --user bob)"\n',
    );
  });

  test('reports each failure in one sentence with its own exit code', async () => {
    const cases = [
      [['firehose'], 2, '"firehose" is not a channel'],
      [['logs', '--since', 'abc'], 2, 'is not a cursor'],
      [['project:P', '--level', 'info'], 2, '--level is for logs only'],
      [['all', '--count', 'many'], 2, "'many' is invalid. It is not a number above 0"],
      [[], 2, "missing required argument 'channel'"],
      [['all', '--token', 'nonsense'], 1, '401 from'],
      [['project:Q', '--token', tokenFor('a', { projects: ['P'] })], 1, 'does not allow project:Q'],
    ] as const;
    for (const [args, code, sentence] of cases) {
      const ended = await leque(['tail', ...args, '--url', server.url]);
      expect({ code: ended.code, stderr: ended.stderr }, args.join(' ')).toEqual({
        code,
        stderr: expect.stringContaining(sentence),
      });
    }
    const nobody = await leque(['tail', 'all', '--url', 'http://127.0.0.1:9']);
    expect(nobody.code).toBe(3);
  });
});

test('[GAP] leque tail reconnects to a server that was killed, and resumes where it was', async () => {
  await using cluster = await startNodes(2);
  const [first, second] = cluster.nodes;
  if (first === undefined || second === undefined) throw new Error('two nodes');
  await using process = tail('project:P', '--url', first.url, '--count', '3');
  await publish(first.url, note(0)); // the channel has an end from here on
  const got = () => process.output.match(/"n":[1-9]/g) ?? [];
  await expect
    .poll(async () => {
      await publish(second.url, note(1));
      return got().length;
    }, PATIENCE)
    .toBeGreaterThan(0);
  const { length: before } = got();
  await first.kill();
  if (before < 2) await publish(second.url, note(2));
  await publish(second.url, note(3));
  await first.restart();
  expect(await process.exited).toMatchObject({ code: 0 });
  expect(process.output.match(/; reconnecting$/gm)).toHaveLength(1); // however many attempts fail
  expect(process.output.match(/^back, nothing lost$/gm)).toHaveLength(1);
  expect(process.output).not.toContain('cannot be recovered');
}, 60_000);
