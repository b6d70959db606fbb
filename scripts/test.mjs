// `npm test`: the checks (types, lint and format, walls, dead code), then every test there is.
//   npm test -- hub outbox     only test files whose path contains one of the words
//   npm run check              only the checks
//   npm run test:compose       only the tests of docker-compose.yml, which need Docker and the images
// The last line on stdout counts checks and tests together.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const posix = process.platform !== 'win32';
// The hundreds of Node processes that tests start share their compiled modules, which saves a third
// of the time that each takes to start.
const compiled = join(root, 'node_modules', '.cache', 'compiled');
const installsDeadlineMs = 30 * 60_000;
const checkDeadlineMs = 5 * 60_000;
const testsDeadlineMs = 40 * 60_000;
const killAfterMs = 5_000;

const checks = [
  { name: 'types', from: 'typescript', bin: 'tsc', args: ['-p', 'tsconfig.json'] },
  { name: 'lint and format', from: '@biomejs/biome', bin: 'biome', args: ['ci', '--colors=off'] },
  {
    name: 'walls',
    from: 'dependency-cruiser',
    bin: 'depcruise',
    args: ['apps', 'packages', 'test', '--output-type', 'err-long'],
  },
  { name: 'dead code', from: 'knip', bin: 'knip', args: ['--no-progress'] },
];

const running = new Set();
let interrupted = false;
const total = { passed: 0, failed: 0, skipped: 0 };

if (Number.parseInt(process.versions.node, 10) < 24) {
  console.error('Node 24 or newer is needed. `npm test` installs and uses it.');
  process.exit(1);
}
process.once('SIGINT', () => stopEverything(130));
process.once('SIGTERM', () => stopEverything(143));

const flags = ['--checks-only', '--compose'];
const filters = process.argv.slice(2).filter((arg) => !flags.includes(arg));
const composed = process.argv.includes('--compose');
const programs = process.argv.includes('--checks-only') ? undefined : ensurePrograms();
if (!composed) await runChecks();
if (programs !== undefined) await runTests(filters, await programs);

const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : '';
console.log(`\n${total.passed} passed, ${total.failed} failed${skipped}`);
process.exitCode = total.failed > 0 ? 1 : 0;

/** Installs missing programs. Runs beside the checks, because most of it waits for the network. */
function ensurePrograms() {
  const script = join(import.meta.dirname, 'ensure-test-programs.mjs');
  return run(script, [], { deadlineMs: installsDeadlineMs });
}

/** Runs the checks two at a time, because a small machine has two cores. */
async function runChecks() {
  const queue = checks.values();
  const lane = async () => {
    for (const check of queue) await runCheck(check);
  };
  await Promise.all([lane(), lane()]);
}

async function runCheck({ name, from, bin, args }) {
  const startedAt = performance.now();
  const { ok, output, reason } = await run(binary(from, bin), args, {
    deadlineMs: checkDeadlineMs,
    env: { NO_COLOR: '1', FORCE_COLOR: undefined },
  });
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  const [warnings] = output.match(/\d+ warnings?\b/) ?? [];
  total[ok ? 'passed' : 'failed'] += 1;
  if (ok) console.log(`✓ ${name} ${seconds} s${warnings ? ` (${warnings})` : ''}`);
  else console.log(`✗ ${name} ${seconds} s: ${reason}\n${output}`);
}

async function runTests(filters, programs) {
  if (!programs.ok) {
    total.failed += 1;
    console.log(`✗ tests: ${programs.output || programs.reason}`);
    return;
  }
  process.stderr.write(programs.output);
  const folder = mkdtempSync(join(tmpdir(), 'leque-test-'));
  try {
    const report = join(folder, 'report.json');
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
    const projects = composed ? ['compose'] : ['unit', 'integration'];
    const args = ['run', ...projects.map((name) => `--project=${name}`), ...reporters, ...filters];
    const vitest = await run(binary('vitest', 'vitest'), args, {
      deadlineMs: testsDeadlineMs,
      stdio: 'inherit',
    });
    count(vitest, readReport(report));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function count(vitest, files) {
  const tests = files.flatMap((file) => file.assertionResults);
  const withStatus = (status) => tests.filter((each) => each.status === status).length;
  const passed = withStatus('passed');
  // A file that does not load, or whose set-up throws, fails without a single failed test.
  const brokenFiles = files.filter(
    (file) =>
      file.status === 'failed' && file.assertionResults.every((each) => each.status !== 'failed'),
  );
  let failed = withStatus('failed') + brokenFiles.length;
  if (failed === 0 && (!vitest.ok || passed === 0)) {
    failed = 1;
    console.log(vitest.ok ? '✗ tests: none ran' : `✗ tests: vitest failed: ${vitest.reason}`);
  }
  total.passed += passed;
  total.failed += failed;
  total.skipped += tests.length - passed - withStatus('failed');
  printSeedRows(tests);
}

/** Each row of a seed document is a test of its conformance suite, which runs in two set-ups. */
function printSeedRows(tests) {
  const seeds = new Map();
  for (const { fullName, title, status } of tests) {
    const [, seed, setUp] = /^seed (\d+) \((embedded|cluster|compose)\)/.exec(fullName) ?? [];
    if (seed === undefined) continue;
    const setUps = seeds.get(seed) ?? seeds.set(seed, new Map()).get(seed);
    if (!setUps.has(setUp)) setUps.set(setUp, new Set());
    if (status === 'passed') setUps.get(setUp).add(title);
  }
  for (const [seed, setUps] of [...seeds].sort()) {
    const rows = new Set([...setUps.values()].flatMap((titles) => [...titles])).size;
    const each = [...setUps].map(([setUp, titles]) => `${setUp} ${titles.size}`);
    console.log(`seed ${seed}: ${rows} rows covered, ${each.join(', ')}`);
  }
}

/** A missing or truncated report means a crash, which `count` sees from the exit code. */
function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).testResults;
  } catch {
    return [];
  }
}

/** Path of the tool's script for this Node. The commands in .bin would start the Node of the PATH. */
function binary(packageName, name) {
  const folder = join(root, 'node_modules', packageName);
  const { bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return join(folder, bin[name]);
}

/** Runs a script to its end. Never rejects: `ok` and `reason` describe the outcome. */
function run(file, args, { deadlineMs, env, stdio = 'pipe' }) {
  const child = spawn(process.execPath, [file, ...args], {
    cwd: root,
    env: { NODE_COMPILE_CACHE: compiled, ...process.env, ...env },
    stdio: ['ignore', stdio, stdio],
    detached: posix, // a process group of its own, so that its children end with it
  });
  running.add(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  }
  let late = false;
  const deadline = setTimeout(() => {
    late = true;
    stop(child);
  }, deadlineMs);
  return new Promise((resolve) => {
    const finish = (how) => {
      clearTimeout(deadline);
      running.delete(child);
      signalGroup(child, 'SIGKILL'); // ends the children that it left running
      if (interrupted) return; // or the next script would start
      const reason = late ? `not done after ${deadlineMs / 60_000} minutes` : how;
      resolve({ ok: how === 'exit code 0' && !late, output, reason });
    };
    child.once('error', (error) => finish(error.message));
    child.once('close', (code, signal) => finish(signal ?? `exit code ${code}`));
  });
}

function stop(child) {
  signalGroup(child, 'SIGTERM');
  setTimeout(() => signalGroup(child, 'SIGKILL'), killAfterMs).unref();
}

function signalGroup(child, signal) {
  try {
    process.kill(posix ? -child.pid : child.pid, signal);
  } catch {
    // It has ended by itself.
  }
}

async function stopEverything(exitCode) {
  interrupted = true;
  const ended = [...running].map((child) => new Promise((resolve) => child.once('close', resolve)));
  for (const child of running) stop(child);
  await Promise.all(ended);
  process.exit(exitCode);
}
