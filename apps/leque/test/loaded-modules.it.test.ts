import { execFile } from 'node:child_process';
import { freePorts } from '@leque/testkit';
import { describe, expect, test } from 'vitest';
import { lequeProgram } from '../src/program.ts';

const ENTRY = 'apps/leque/src/main.ts';
const TEST_TOOLS = ['vitest', 'testcontainers'];
const SERVERS = ['fastify', 'socket.io', 'prom-client'];
/** Prints the URL of each loaded module on stderr, one a line. */
const REPORTER = `
  import { registerHooks } from 'node:module';
  import { writeSync } from 'node:fs';
  registerHooks({
    load(url, context, next) {
      writeSync(2, 'loaded ' + url + '\\n');
      return next(url, context);
    },
  });`;

/** Runs the command, or another entry, and returns the names of the npm packages that it loads. */
async function packagesOf(args: readonly string[], entry = ENTRY): Promise<string[]> {
  const hook = `data:text/javascript,${encodeURIComponent(REPORTER)}`;
  const env = { PATH: process.env['PATH'] ?? '', JWT_SECRET: 'a secret of thirty-two characters' };
  const stderr = await new Promise<string>((resolve) => {
    const command = ['--import', hook, entry, ...args];
    const options = { env, maxBuffer: 2 ** 24 };
    execFile(process.execPath, command, options, (_error, _stdout, text) => resolve(text));
  });
  const loaded = [...stderr.matchAll(/^loaded (.*)$/gm)].map(([, url = '']) => url);
  expect(loaded.some((url) => url.endsWith(entry))).toBe(true);
  const names = loaded.flatMap(
    (url) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? [],
  );
  return [...new Set(names)];
}

describe('the command loads no package that it does not need:', () => {
  const names = lequeProgram({}).commands.map((command) => command.name());

  test.each([['--help'], ['--version'], ...names.map((name) => [name, '--help'])])(
    'nothing but its parser of options for %s %s',
    async (...args) => {
      expect(await packagesOf(args)).toEqual(['commander']);
    },
  );

  test.each([
    ['tail', 'project:P'],
    ['trace', 'id'],
    ['stats'],
    ['log-level', 'info'],
    ['token', '--user', 'alice'],
    ['grant', '--user', 'alice', '--projects', 'P'],
    ['cursor', 'all'],
    ['keys'],
    ['completion', 'bash'],
  ])('no test framework and no server for %s, which is a client', async (...args) => {
    const isRemote = !['token', 'keys', 'completion'].includes(args[0]);
    const url = isRemote ? ['--url', `http://127.0.0.1:${await freePorts(1)}`] : [];
    const packages = await packagesOf([...args, ...url]);
    const needless = packages.filter((name) => [...TEST_TOOLS, ...SERVERS].includes(name));
    expect(needless).toEqual([]);
  });

  test.each([['check'], ['bench', '--list'], ['verify', '--list']])(
    'no test framework for %s',
    async (...args) => {
      const packages = await packagesOf(args);
      expect(packages.filter((name) => TEST_TOOLS.includes(name))).toEqual([]);
    },
  );

  test.each(['dev/dev.ts', 'cluster/cluster.ts'])('no test framework in %s', async (file) => {
    const packages = await packagesOf([], `apps/leque/src/${file}`);
    expect(packages).toContain('fastify');
    expect(packages.filter((name) => TEST_TOOLS.includes(name))).toEqual([]);
  });
});
