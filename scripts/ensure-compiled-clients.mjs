// Builds the clients in Java, Go and Rust that tests run against a gateway, each from its folder in
// `test/conformance/clients`. A build is kept until its sources change. Tests whose client could not be
// built are skipped, with the reason in their title.
// Plain JavaScript without dependencies, for the machine's own Node. Prints to stderr only.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';

const root = join(import.meta.dirname, '..');
const sources = join(root, 'test', 'conformance', 'clients');
const cache = join(root, 'node_modules', '.cache', 'foreign-clients');
const deadlineMs = 3 * 60_000;
/** Where the installers of Go and Rust put their programs. */
const moreFolders = ['/usr/local/go/bin', join(homedir(), '.cargo', 'bin')];

/** The command that builds each client from its folder into another. */
const builds = {
  java: (into) => ['javac', '-d', into, 'Client.java'],
  go: (into) => ['go', 'build', '-o', join(into, 'client'), '.'],
  rust: (into) => ['cargo', 'build', '--quiet', '--locked', '--target-dir', join(into, 'target')],
};
const env = {
  ...process.env,
  PATH: [process.env.PATH, ...moreFolders].join(delimiter),
  ...{ CGO_ENABLED: '0', GOFLAGS: '-mod=readonly', GOTOOLCHAIN: 'local' },
  ...{ CARGO_HTTP_TIMEOUT: '10', CARGO_NET_RETRY: '1' },
};

export async function ensureCompiledClients() {
  if (process.platform === 'win32') return;
  await Promise.all(Object.keys(builds).map(ensure));
}

async function ensure(language) {
  const folder = join(cache, language);
  const stamp = join(folder, 'sources.sha256');
  const hash = hashOf(join(sources, language));
  if (String(read(stamp)) === hash) return;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const problem = await run(builds[language](folder), join(sources, language));
  if (problem === undefined) {
    keep(language, folder);
    writeFileSync(stamp, hash);
    return;
  }
  rmSync(folder, { recursive: true, force: true });
  process.stderr.write(`The client in ${language}: ${problem}\nTests that need it are skipped.\n`);
}

/** Of what Cargo leaves behind only the program is needed. */
function keep(language, folder) {
  if (language !== 'rust') return;
  const target = join(folder, 'target');
  writeFileSync(join(folder, 'client'), readFileSync(join(target, 'debug', 'client')), {
    mode: 0o755,
  });
  rmSync(target, { recursive: true });
}

function hashOf(folder) {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}`);
  for (const name of readdirSync(folder, { recursive: true }).sort()) {
    hash.update(`\0${name}\0`).update(read(join(folder, name)));
  }
  return hash.digest('hex');
}

/** Empty for folders, and where nothing is. */
function read(file) {
  try {
    return readFileSync(file);
  } catch {
    return '';
  }
}

/** @returns {Promise<string | undefined>} the output of a failed build */
function run([program, ...args], cwd) {
  return new Promise((resolve) => {
    execFile(program, args, { cwd, env, timeout: deadlineMs }, (error, _stdout, stderr) => {
      resolve(error === null ? undefined : stderr.trim() || error.message);
    });
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await ensureCompiledClients();
