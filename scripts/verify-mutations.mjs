// `npm run verify:mutations`: shows that the proofs can fail. Takes one thing after the other out of
// a copy of the code, and wants the scenario or test that stands for it to fail.
//   npm run verify:mutations -- probe lease    only those whose name has one of the words
//   npm run verify:mutations -- 'outcome, in'  one mutation against every scenario that tries it
// Prints a table, and exits with 1 when anything was not noticed.
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { MUTATIONS } from './mutations.mjs';

const root = join(import.meta.dirname, '..');
const posix = process.platform !== 'win32';
const deadlineMs = 20 * 60_000;
const notCopied = new Set(['.git', '.types']);

const words = process.argv.slice(2);
const chosen = MUTATIONS.filter(
  ({ name }) => words.length === 0 || words.some((word) => name.includes(word)),
);
const running = new Set();
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, stop);

const copy = mkdtempSync(join(tmpdir(), 'leque-mutations-'));
process.once('exit', () => rmSync(copy, { recursive: true, force: true }));
copyTree();
await proveUnchanged();
const rows = [];
for (const mutation of chosen) rows.push(await prove(mutation));
console.log(`\n${table(rows)}`);
process.exitCode = rows.length > 0 && rows.every(({ isNoticed }) => isNoticed) ? 0 : 1;

/** Packages find each other in the copy, and everything else where it is installed. */
function copyTree() {
  cpSync(root, copy, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (path) => !notCopied.has(basename(path)) && relative(root, path) !== 'node_modules',
  });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'), 'junction');
}

/** A proof that fails anyway proves nothing. */
async function proveUnchanged() {
  for (const [name, proof] of new Map(chosen.map(({ proof }) => [proof.name, proof]))) {
    const { ok, output } = await run(proof);
    console.log(`${ok ? '✓' : '✗'} unchanged: ${name}`);
    if (ok) continue;
    console.log(output);
    process.exit(1);
  }
}

async function prove({ name, about, patches, proof }) {
  const before = new Map(patches.map(({ file }) => [file, readFileSync(join(copy, file), 'utf8')]));
  for (const each of patches) patch(each);
  rmSync(join(copy, 'results'), { recursive: true, force: true }); // of the one before
  const { ok, output } = await run(proof);
  for (const [file, text] of before) writeFileSync(join(copy, file), text);
  const said = ok ? 'nothing' : find(proof, output);
  console.log(`${ok ? '✗' : '✓'} without ${name}: ${proof.name} says ${said}`);
  return { name, about, proof: proof.name, isNoticed: !ok, said };
}

/** One that fails and cannot say why has failed for another reason, which is no proof. */
function find({ name, says }, output) {
  const said = says({ output, read: (file) => readFileSync(join(copy, file), 'utf8') });
  if (said) return said;
  console.log(output);
  throw new Error(`${name} failed, but not by what it looks for`);
}

function patch({ file, from, to }) {
  const text = readFileSync(join(copy, file), 'utf8');
  const found = text.split(from).length - 1;
  if (found !== 1) throw new Error(`found ${found} times in ${file}, which has changed: ${from}`);
  writeFileSync(
    join(copy, file),
    text.replace(from, () => to),
  );
}

function table(rows) {
  const lines = rows.map(({ name, about, proof, isNoticed, said }) => {
    return `| ${name}: ${about} | ${proof} | ${isNoticed ? 'red' : '**green**'} | ${cell(said)} |`;
  });
  return ['| taken out | proof | turned | and said |', '| --- | --- | --- | --- |', ...lines].join(
    '\n',
  );
}

function cell(text) {
  return text
    .replace(/\p{Cc}\[[\d;]*m/gu, '')
    .replaceAll('|', '/')
    .slice(0, 160);
}

/** Never rejects: one that is too slow has failed. */
function run({ args, env }) {
  const child = spawn(process.execPath, args, {
    cwd: copy,
    env: { ...process.env, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: posix, // its own process group, so that what it starts can end with it
  });
  running.add(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  }
  const deadline = setTimeout(() => signalGroup(child, 'SIGKILL'), deadlineMs);
  return new Promise((resolve) => {
    child.once('close', (code, signal) => {
      clearTimeout(deadline);
      running.delete(child);
      signalGroup(child, 'SIGKILL'); // what it left behind
      resolve({ ok: code === 0, output: `${output}\nexit code ${code ?? signal}` });
    });
  });
}

function signalGroup(child, signal) {
  try {
    process.kill(posix ? -child.pid : child.pid, signal);
  } catch {
    // It has ended by itself.
  }
}

function stop() {
  for (const child of running) signalGroup(child, 'SIGKILL');
  process.exit(130);
}
