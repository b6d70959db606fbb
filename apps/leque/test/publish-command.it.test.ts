import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { leque, RawClient, wsUrl } from '@leque/lab';
import { freePorts, startLeque } from '@leque/testkit';
import { expect, test } from 'vitest';

const note = (text: string) => JSON.stringify({ type: 'note', data: { text }, project_id: 'P' });

async function historyOf(url: string): Promise<unknown[]> {
  const answer = await fetch(`${url}/api/channels/project:P/history`);
  const { publications } = (await answer.json()) as {
    readonly publications: readonly { readonly data: { readonly text: string } }[];
  };
  return publications.map(({ data }) => data.text);
}

test('leque publish sends an event to its subscribers, and prints its position', async () => {
  await using server = await startLeque();
  await using client = await RawClient.connect(wsUrl(server.url, '/ws/project/P'));
  const args = ['--type', 'note', '--project', 'P', '--data', '{"text":"hello"}'];
  const { code, stdout } = await leque(['publish', '--url', server.url, ...args]);
  expect(code).toBe(0);
  const { message_id, cursor } = await client.first('note');
  expect(stdout).toBe(`stored ${message_id} ${cursor}\n`);
});

test('[ORD] leque publish stores a file in its order, and reports the lines that are refused', async () => {
  await using server = await startLeque();
  const texts = Array.from({ length: 250 }, (_, index) => `n${index}`);
  const lines = [
    ...texts.slice(0, 120).map(note),
    '{"data":{}}',
    '',
    ...texts.slice(120).map(note),
  ];
  const ended = await leque(['publish', '--url', server.url, '--file', '-', '--json'], {
    input: lines.join('\n'),
  });
  expect(ended.code).toBe(1);
  const results = ended.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(results).toHaveLength(251);
  expect(results[120]).toMatchObject({ line: 121, status: 'refused' });
  expect(results[121]).toMatchObject({ line: 123, status: 'stored' });
  expect(await historyOf(server.url)).toEqual(texts.slice(-100));
});

/** Passes requests on to a server, and loses the answer to the first one. */
async function startLossy(target: string) {
  const seen = { requests: 0 };
  const server = createServer(async (request, response) => {
    seen.requests += 1;
    const isFirst = seen.requests === 1;
    const body = Buffer.concat(await request.toArray());
    const { headers } = request;
    const answer = await fetch(`${target}${request.url}`, {
      method: 'POST',
      headers: { 'content-type': String(headers['content-type']) },
      body,
    });
    if (isFirst) return void response.destroy();
    response.end(await answer.text());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, seen, [Symbol.asyncDispose]: async () => void server.close() };
}

test('[ACK] leque publish stores an event once although an answer is lost', async () => {
  await using server = await startLeque();
  await using lossy = await startLossy(server.url);
  const args = ['--type', 'note', '--project', 'P', '--data', '{"text":"once"}'];
  const { code, stdout } = await leque(['publish', '--url', lossy.url, ...args]);
  expect({ code, ...lossy.seen }).toEqual({ code: 0, requests: 2 });
  expect(stdout).toMatch(/^known already /);
  expect(await historyOf(server.url)).toEqual(['once']);
});

test('[EV7.2] leque publish sends a live event once although its answer is lost', async () => {
  await using server = await startLeque();
  await using lossy = await startLossy(server.url);
  await using client = await RawClient.connect(wsUrl(server.url, '/ws/project/P'));
  const typing = '{"type":"typing","data":{},"project_id":"P","live":true}';
  const args = ['publish', '--url', lossy.url, '--file', '-'];
  const ended = await leque(args, { input: [typing, note('kept'), typing].join('\n') });
  expect({ code: ended.code, ...lossy.seen }).toEqual({ code: 1, requests: 2 });
  expect(ended.stdout).toMatch(/^line 1 unknown: no answer.*\nknown already .*\nline 3 unknown: /);
  const live = ['--type', 'typing', '--project', 'P', '--live'];
  const { stdout } = await leque(['publish', '--url', server.url, ...live]);
  expect(stdout).toMatch(/^live [0-9a-f-]{36}\n$/);
  await leque(['publish', '--url', server.url, '--type', 'last', '--project', 'P']);
  await client.first('last');
  const types = client.events.map(({ type }) => type).filter((type) => type !== 'connection');
  expect(types).toEqual(['typing', 'note', 'typing', 'typing', 'last']);
});

test('[EV8] leque publish sends one event to several users or projects, and prints a line for each', async () => {
  await using server = await startLeque();
  const args = ['publish', '--url', server.url, '--type', 'note', '--data', '{"text":"all"}'];
  const users = await leque([...args, '--user', 'alice,bob']);
  expect(users).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^user:alice stored \S+ \S+\nuser:bob stored /),
  });
  const projects = await leque([...args, '--project', 'P,Q', '--key', 'k', '--json']);
  const { status, message_id, results } = JSON.parse(projects.stdout);
  expect({ status, ids: results.map((each: { message_id: string }) => each.message_id) }).toEqual({
    status: 'stored',
    ids: [message_id, message_id],
  });
  expect(await historyOf(server.url)).toEqual(['all']);
  const wrong = await leque([...args, '--user', 'alice,alice']);
  expect(wrong).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('user_ids.1 is given more than once'),
  });
});

test('leque publish names the line of a refused event without --json, too', async () => {
  await using server = await startLeque();
  const input = [note('a'), '{"data":{}}', note('b')].join('\n');
  const args = ['publish', '--url', server.url, '--file', '-'];
  const { code, stdout } = await leque(args, { input });
  expect(code).toBe(1);
  expect(stdout).toMatch(/^stored .*\nline 2 refused: .*type.*\nstored .*\n$/);
});

test('leque publish ends at a line that is not JSON, and reports how far it has come', async () => {
  await using server = await startLeque();
  const texts = Array.from({ length: 150 }, (_, index) => `n${index}`);
  const input = [...texts.map(note), 'not JSON', note('after')].join('\n');
  const args = ['publish', '--url', server.url, '--file', '-'];
  const { code, stdout, stderr } = await leque(args, { input });
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: [
      'error: line 151 is not a JSON object: not JSON',
      'The results up to line 100 are printed. Nothing after line 100 was sent.',
      '',
    ].join('\n'),
  });
  expect(stdout.trim().split('\n')).toHaveLength(100);
  expect((await historyOf(server.url)).at(-1)).toBe('n99');
});

test('leque publish reports a wrong API key', async () => {
  await using server = await startLeque({ AUTH_MODE: 'required' });
  const args = ['publish', '--url', server.url, '--type', 'note', '--api-key', 'wrong'];
  const { code, stderr } = await leque(args);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^401 from .*: neither a known API key nor a JSON Web Token\n$/);
});

test('leque publish reaches a Leque behind a path', async () => {
  await using server = await startLeque();
  const paths: (string | undefined)[] = [];
  const front = createServer(async (request, response) => {
    paths.push(request.url);
    const answer = await fetch(`${server.url}/api/publish`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: Buffer.concat(await request.toArray()),
    });
    response.end(await answer.text());
  });
  await using stack = new AsyncDisposableStack();
  stack.defer(() => void front.close());
  await once(front.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(front.address() as AddressInfo).port}/leque/`;
  const { code } = await leque(['publish', '--url', url, '--type', 'note', '--project', 'P']);
  expect({ code, paths }).toEqual({ code: 0, paths: ['/leque/api/publish'] });
});

test('leque publish reports each failure in one sentence with its own exit code', async () => {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'leque-publish-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'events');
  await writeFile(file, `${note('a')}\nnot JSON\n`);
  const nowhere = `http://127.0.0.1:${await freePorts(1)}`;
  const cases = [
    [['--data', '{}'], 2, '--type or --file is needed'],
    [['--type', 'note', '--data', 'x'], 2, "argument 'x' is invalid. It is not a JSON object"],
    [['--type', 'note', '--url', 'nowhere'], 2, "'nowhere' is invalid. It is not a URL such as"],
    [['--file', `${file}-missing`], 2, 'events-missing does not exist'],
    [['--file', file], 2, 'line 2 is not a JSON object: not JSON\nNothing was sent.'],
    [['--type', 'note', '--url', nowhere], 3, 'does not answer'],
  ] as const;
  const ended = await Promise.all(cases.map(([args]) => leque(['publish', ...args])));
  for (const [index, [, code, said]] of cases.entries()) {
    expect(ended[index]).toMatchObject({ code, stdout: '' });
    expect(ended[index]?.stderr).toContain(said);
    expect(ended[index]?.stderr).not.toContain('    at ');
  }
});

test('leque publish and leque tail name the token to make where one is required', async () => {
  await using server = await startLeque({ AUTH_MODE: 'required' });
  const args = ['publish', '--url', server.url, '--type', 'note'];
  const { code, stderr } = await leque(args);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^401 from .*needs a token or an API key/);
  expect(stderr).toContain('; try --token "$(leque token --user ops --scope publish:all)"');
  const tailed = await leque(['tail', 'user:a%7Cb', '--url', server.url]);
  expect(tailed.code).toBe(1);
  expect(tailed.stderr).toContain(`; try --token "$(leque token --user 'a|b')"`);
});

test('leque publish stores the whole file although the reader of its output has left', async () => {
  await using server = await startLeque();
  const input = Array.from({ length: 500 }, (_, index) => note(`n${index}`)).join('\n');
  const args = ['publish', '--url', server.url, '--file', '-'];
  const { code, stderr } = await leque(args, { input, readerLeaves: true });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const { stdout } = await leque(['publish', '--url', server.url, '--type', 'n', '--project', 'P']);
  expect(stdout).toMatch(/\.501\n$/);
});

test('leque publish stores the events of the examples in its help', async () => {
  await using server = await startLeque();
  const { stdout: help } = await leque(['publish', '--help']);
  const examples = [...help.matchAll(/^ {2}leque (publish --type .*)$/gm)].map(([, line]) => line);
  expect(examples.length).toBeGreaterThan(1);
  for (const example of examples) {
    const words = String(example)
      .split(' ')
      .map((word) => word.replaceAll("'", ''));
    const { code, stdout } = await leque([...words, '--url', server.url]);
    expect({ code, stdout }, example).toEqual({
      code: 0,
      stdout: expect.stringMatching(/stored|live/),
    });
  }
});
