import { execFile } from 'node:child_process';
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { fillTemplate, PeerProcess, program } from '@leque/lab';
import type { RunningTarget, Target, TargetContext } from '../../targets/target.ts';
import { textFrame, upgradeRequest } from '../../targets/websocket-bytes.ts';
import { channelName } from '../../workloads/event.ts';
import { CACHE, versionOf } from '../lib/tools.ts';

const TEMPLATE = new URL('config.yaml', import.meta.url);
const MODULE = 'github.com/centrifugal/centrifugo/v6';
const VERSION = 'v6.9.1';
const FOLDER = join(CACHE, `centrifugo-${VERSION}`);
const API_KEY = 'only-for-the-bench';
const DEFAULT_HEARTBEAT_S = 3600;

/** Centrifugo with its memory engine and without history; events by its HTTP API. */
export const centrifugo: Target = {
  name: 'centrifugo',
  formats: ['centrifugo'],
  unavailable: async () =>
    (await executable()) === undefined
      ? `centrifugo is neither on PATH nor in ${FOLDER} (go install ${MODULE}@${VERSION})`
      : undefined,
  install,
  start,
};

async function install(): Promise<void> {
  const go = program('go');
  if (go === undefined) throw new Error('Centrifugo is built with Go, which is not installed');
  await mkdir(FOLDER, { recursive: true });
  await promisify(execFile)('env', [`GOBIN=${FOLDER}`, go, 'install', `${MODULE}@${VERSION}`]);
}

async function start(context: TargetContext): Promise<RunningTarget> {
  const { port, heartbeatSeconds = DEFAULT_HEARTBEAT_S } = context;
  const server = (await executable()) ?? 'centrifugo';
  await using stack = new AsyncDisposableStack();
  const file = stack.use(
    await fillTemplate(TEMPLATE, {
      PORT: String(port),
      INTERNAL_PORT: String(port + 1),
      API_KEY,
      PING_INTERVAL: `${heartbeatSeconds}s`,
      // A third of the interval, which is the default; it must be shorter.
      PONG_TIMEOUT: `${Math.round((heartbeatSeconds * 1000) / 3)}ms`,
    }),
  );
  const peer = stack.use(await PeerProcess.start([server, '-c', file.path], context));
  const address = `127.0.0.1:${port}`;
  const owner = stack.move();
  return {
    pids: [peer.pid],
    versions: { centrifugo: await versionAt(server) },
    flags: 'memory engine without Redis, no history, JSON protocol, events by the HTTP API',
    addresses: [address],
    coalesces: true,
    client: (_format, channels) => ({
      request: upgradeRequest(address, '/connection/websocket', {}),
      afterUpgrade: textFrame(commands(channels)),
      ready: `{"id":${channels.length + 1},"subscribe":{`,
      replies: { '{}': textFrame('{}') },
    }),
    publishing: { address: `127.0.0.1:${port + 1}`, error: '"error"', ack: 'HTTP/1.1 200' },
    publication: (channel, event) => publication(`127.0.0.1:${port + 1}`, channel, event),
    [Symbol.asyncDispose]: () => owner.disposeAsync(),
  };
}

async function executable(): Promise<string | undefined> {
  const built = join(FOLDER, 'centrifugo');
  return stat(built).then(
    () => built,
    () => program('centrifugo'),
  );
}

/** A binary that `go install` built does not know its version. */
async function versionAt(server: string): Promise<string> {
  return server.startsWith(FOLDER) ? VERSION.slice(1) : versionOf(server, 'version');
}

/** One frame may carry several commands; they are answered in order. */
function commands(channels: readonly number[]): string {
  const subscribing = channels.map((channel, index) => ({
    id: index + 2,
    subscribe: { channel: channelName(channel) },
  }));
  return [{ id: 1, connect: {} }, ...subscribing].map((each) => JSON.stringify(each)).join('\n');
}

function publication(address: string, channel: number, event: Buffer): Buffer {
  const before = Buffer.from(`{"channel":"${channelName(channel)}","data":`);
  const length = before.length + event.length + 1;
  const head =
    `POST /api/publish HTTP/1.1\r\nHost: ${address}\r\nX-API-Key: ${API_KEY}\r\n` +
    `Content-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), before, event, Buffer.from('}')]);
}
