// Installs clients in Python, which tests run against a gateway: `websockets`, the newest python-socketio, and
// the last one of Engine.IO 3. pip installs them from the Python package index by version and hash. Tests
// whose client is missing are skipped, with the reason in their title.
// Plain JavaScript without dependencies, for the machine's own Node. Prints to stderr only.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const folder = join(import.meta.dirname, '..', 'node_modules', '.cache', 'python-clients');
const deadlineMs = 2 * 60_000;

const shared = [
  'certifi==2026.10.19.post1 1324c476b4811eff41a8bc2122cd0bbd4d9c7234c725446d99ab1612b3a7fdd2',
  'charset-normalizer==3.5.3 96e268b0cbda016ac519513294fcd17032264085b600abaac58b93049477e132',
  'idna==3.20 ab7ae7122974553370f0bdb919e1a960b2cd1bc1ef0276416d896db81c14582c',
  'requests==2.34.2 2a0d60c172f83ac6ab31e4554906c0f3b3588d37b5cb939b1c061f4907e278e0',
  'urllib3==2.8.0 0cf3cae568d36aa9576b28dfb35f11328f1cb974ca7647d9475ebb86c75ac6e3',
  'websocket-client==1.9.2 e1a673830a9c7bfa47b1cd3d5e4178f4c9651d80a4eab02c9c23a1c3ec6250ce',
];

/** The packages of each client with their hashes (SHA-256); python-socketio is called by its major version. */
const clients = {
  websockets: ['websockets==17.4 c6bd2c9781915592b209160d0f017d4c7c82ad53075e6b0c24d2a89299e7f9e9'],
  4: [
    ...shared,
    'python-engineio==3.14.2 5a9e6086d192463b04a1428ff1f85b6ba631bbb19d453b144ffc04f530542b84',
    'python-socketio==4.6.1 5a21da53fdbdc6bb6c8071f40e13d100e0b279ad997681c2492478e06f370523',
    'six==1.17.0 4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274',
  ],
  5: [
    ...shared,
    'bidict==0.24.1 fd3eaa737917d8a14f4baa391670c433c4e3f6f5fd2cd99d4bf436437f432364',
    'h11==0.16.0 63cf8bbe7522de3bf65932fda1d9c2772064ffb3dae62d55932da54b31cb6c86',
    'python-engineio==4.15.1 745cb3c07701c719a2906439a00b67e44ef042904036568530a2c3a8cf18c89a',
    'python-socketio==5.18.1 e768c473842be811f6dd24bd0a49cd0d4a0c994182e3eba23cc9d1489c7a697e',
    'simple-websocket==1.1.0 4af6069630a38ed6c561010f0e11a5bc0d4ca569b36306eb257cd9a192497c8c',
    'typing-extensions==4.16.0 481caa481374e813c1b176ada14e97f1f67a4539ce9cfeb3f350d78d6370c2e8',
    'wsproto==1.3.2 61eea322cdf56e8cc904bd3ad7573359a242ba65688716b0710a5eb12beab584',
  ],
};

export function ensurePythonClients() {
  for (const [client, packages] of Object.entries(clients)) {
    if (existsSync(join(folder, client))) continue;
    const problem = install(client, packages);
    if (problem === undefined) continue;
    process.stderr.write(
      `Python's client ${client}: ${problem}\nTests that need it are skipped.\n`,
    );
  }
}

/** @returns {string | undefined} the reason of a failed installation */
function install(client, packages) {
  mkdirSync(folder, { recursive: true });
  const work = mkdtempSync(join(folder, 'installing-')); // in the same folder, so that a rename is possible
  try {
    const requirements = join(work, 'requirements.txt');
    writeFileSync(
      requirements,
      packages.map((each) => each.replace(' ', ' --hash=sha256:')).join('\n'),
    );
    const problem = pip('--require-hashes', '-r', requirements, '--target', join(work, 'packages'));
    if (problem === undefined) renameSync(join(work, 'packages'), join(folder, client));
    return problem;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** @returns {string | undefined} pip's output when it failed */
function pip(...args) {
  const how = ['--quiet', '--disable-pip-version-check', '--no-deps', '--only-binary=:all:'];
  const pure = ['--implementation', 'py', '--abi', 'none', '--platform', 'any'];
  const all = ['-m', 'pip', 'install', ...how, ...pure, ...args];
  const { status, error, stderr } = spawnSync('python3', all, { timeout: deadlineMs });
  if (status === 0) return undefined;
  return error?.message ?? (String(stderr).trim() || `python3 ended with ${status}`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) ensurePythonClients();
