import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { programs } from '@leque/lab';
import { redisRelay } from '../lib/redis-relay.ts';
import { CACHE, output } from '../lib/tools.ts';

const SERVER = fileURLToPath(new URL('server.mjs', import.meta.url));
/** uWebSockets.js 20.30 from npm; the original is not published there. */
const PACKAGE = '@trufflesuite/uws-js-unofficial';
const VERSION = '20.30.0-unofficial.0';
const FOLDER = join(CACHE, `uws-${VERSION}`);
/** Its binaries are for Node 20 and older. */
const NODE_MAJOR = '20';

/** uWebSockets.js: a native server with its own publish/subscribe, controlled from JavaScript. */
export const uws = redisRelay({
  name: 'uWebSockets.js',
  unavailable,
  async install() {
    await mkdir(FOLDER, { recursive: true });
    const options = ['--prefix', FOLDER, '--ignore-scripts', '--no-audit', '--no-fund'];
    await promisify(execFile)('npm', ['install', ...options, `${PACKAGE}@${VERSION}`]);
  },
  command: async ({ port, redis, prefix, heartbeatSeconds }) => {
    const args = [port, redis.url, prefix, heartbeatSeconds, folderOfPackage()].map(String);
    return [(await node20()) ?? 'node', SERVER, ...args];
  },
  versions: async () => ({
    'uWebSockets.js': VERSION,
    node: await output((await node20()) ?? 'node', ['--version']),
  }),
  ready: 'ready',
  flags: 'app.publish of a Buffer, compression off',
});

async function unavailable(): Promise<string | undefined> {
  const node = await node20();
  if (node === undefined) return `its npm package needs Node ${NODE_MAJOR}, which is not on PATH`;
  try {
    await output(node, ['-e', `require(${JSON.stringify(folderOfPackage())}).App()`]);
    return undefined;
  } catch {
    const command = `npm install --prefix ${FOLDER} ${PACKAGE}@${VERSION}`;
    return `its npm package is not installed (${command})`;
  }
}

function folderOfPackage(): string {
  return join(FOLDER, 'node_modules', PACKAGE);
}

async function node20(): Promise<string | undefined> {
  for (const node of programs('node')) {
    if ((await output(node, ['--version'])).startsWith(`v${NODE_MAJOR}.`)) return node;
  }
  return undefined;
}
