import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const MANIFEST = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
/** Syntax and members that the first Node with modules does not know. */
const NEWER = /\?\?|\?\.|import\.meta\.(dir|file)name|\bawait\b|#\w+\b/;
/** Lets nobody write any file: tests may run as the superuser, who may write everywhere. */
const READ_ONLY = `
  import fs from 'node:fs';
  import { syncBuiltinESMExports } from 'node:module';
  fs.accessSync = () => { throw new Error('EACCES'); };
  syncBuiltinESMExports();`;

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(file: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const options = { cwd: tmpdir(), env: { ...process.env, ...env }, timeout: 30_000 };
  return new Promise((resolve) => {
    execFile(file, [...args], options, (error, stdout, stderr) => {
      resolve({ code: Number(error?.code ?? 0), stdout, stderr });
    });
  });
}

/** Runs a script in a Node that runs `change` first. */
function runWith(change: string, script: string): Promise<Ended> {
  const url = `data:text/javascript,${encodeURIComponent(change)}`;
  return run(process.execPath, ['--import', url, script]);
}

test.for(['12.22.12', '18.20.8', '20.18.3'])(
  'a machine with Node %s is told which Node is needed, in the first line',
  async (version) => {
    const change = `Object.defineProperty(process.versions, 'node', { value: '${version}' });`;
    const { code, stderr } = await runWith(change, join(ROOT, 'scripts/install.mjs'));
    expect(code).toBe(1);
    expect(stderr).toBe(
      `Leque needs Node 20.19 or newer, and this is ${version}. ` +
        'Install Node 24 from https://nodejs.org and try again.\n',
    );
  },
);

test('the script that checks the version of Node can be parsed by old ones', async () => {
  const text = await readFile(join(ROOT, 'scripts/install.mjs'), 'utf8');
  const code = text.replaceAll(/\/\/.*/g, '');
  expect(code).not.toMatch(NEWER);
  expect(code).not.toMatch(/^import/m); // what it imports would be parsed before it runs
});

test('every script of npm begins with the check of the version', () => {
  const scripts = MANIFEST.scripts as Readonly<Record<string, string>>;
  const needy = Object.keys(scripts).filter((name) =>
    /apps\/leque|test\.mjs/.test(scripts[name] ?? ''),
  );
  expect(needy).toContain('leque');
  for (const name of needy)
    expect(scripts[`pre${name}`], name).toMatch(/^node scripts\/install\.mjs/);
});

test('the command of the manifest runs from any folder, also through links', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'leque-test-'));
  try {
    await mkdir(join(folder, 'bin'));
    await symlink(join(ROOT, MANIFEST.bin.leque), join(folder, 'first'));
    await symlink('../first', join(folder, 'bin', 'leque'));
    const PATH = [join(folder, 'bin'), process.env['PATH']].join(delimiter);
    expect(await run('leque', ['--version'], { PATH })).toEqual({
      code: 0,
      stdout: `${MANIFEST.version}\n`,
      stderr: '',
    });
    expect((await run('leque', ['tial'], { PATH })).code).toBe(2);
  } finally {
    await rm(folder, { recursive: true });
  }
});

/** A folder with nothing but the manifest and the scripts that install. */
async function freshClone(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'leque-test-'));
  await mkdir(join(folder, 'scripts'));
  for (const name of ['scripts/install.mjs', 'scripts/install-workspace.mjs', 'package.json']) {
    await copyFile(join(ROOT, name), join(folder, name));
  }
  return folder;
}

test('servers are installed without the tools of tests, which stay once they are there', async () => {
  const folder = await freshClone();
  try {
    // Stands for pnpm: it notes its arguments, and makes the folder that pnpm would make.
    const npx = `#!/bin/sh\necho "$*" >>${folder}/calls\nmkdir -p ${folder}/node_modules/.bin\n`;
    await writeFile(join(folder, 'npx'), npx, { mode: 0o755 });
    const PATH = [folder, process.env['PATH']].join(delimiter);
    const install = async (...args: readonly string[]) => {
      const script = join(folder, 'scripts/install.mjs');
      expect((await run(process.execPath, [script, ...args], { PATH })).code).toBe(0);
      return (await readFile(join(folder, 'calls'), 'utf8')).trim().split('\n');
    };
    expect(await install('--prod')).toEqual([expect.stringContaining('--prod')]);
    expect(await install('--prod')).toHaveLength(1);
    const [, second] = await install();
    expect(second).not.toContain('--prod');
    expect(await install('--prod')).toHaveLength(2);
    await writeFile(join(folder, 'pnpm-lock.yaml'), 'changed');
    expect((await install('--prod')).at(-1)).not.toContain('--prod');
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a user who may not write the folder is told so', async () => {
  const folder = await freshClone();
  try {
    const { code, stdout, stderr } = await runWith(READ_ONLY, join(folder, 'scripts/install.mjs'));
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr.trim()).toMatch(/^The dependencies are not installed, and \S+ cannot be written/);
    expect(stderr.trim()).not.toContain('\n');
  } finally {
    await rm(folder, { recursive: true });
  }
});
