import { fillTemplate, PeerProcess, program } from '@leque/lab';
import type { RunningTarget, Target, TargetContext } from '../../targets/target.ts';
import { binaryFrame, upgradeRequest } from '../../targets/websocket-bytes.ts';
import { channelName } from '../../workloads/event.ts';
import { installDebian, versionOf } from '../lib/tools.ts';

const TEMPLATE = new URL('nats-server.conf', import.meta.url);
const DEFAULT_HEARTBEAT_S = 3600;
const CONNECT = 'CONNECT {"verbose":false,"pedantic":false}\r\n';

/** NATS with its own WebSocket listener, which its browser clients use. */
export const nats: Target = {
  name: 'nats',
  formats: ['nats'],
  unavailable: async () =>
    program('nats-server') === undefined
      ? 'nats-server is not installed (apt-get install nats-server)'
      : undefined,
  install: () => installDebian('nats-server'),
  start,
};

async function start(context: TargetContext): Promise<RunningTarget> {
  const { port, heartbeatSeconds = DEFAULT_HEARTBEAT_S } = context;
  const server = program('nats-server') ?? 'nats-server';
  await using stack = new AsyncDisposableStack();
  const publishPort = port + 1;
  const file = stack.use(
    await fillTemplate(TEMPLATE, {
      WEBSOCKET_PORT: String(port),
      PORT: String(publishPort),
      PING_INTERVAL: `${heartbeatSeconds}s`,
    }),
  );
  const versions = { 'nats-server': await versionOf(server, '--version') };
  const peer = stack.use(await PeerProcess.start([server, '-c', file.path], context));
  const address = `127.0.0.1:${port}`;
  const owner = stack.move();
  return {
    pids: [peer.pid],
    versions,
    flags: 'websocket without TLS and compression, core NATS without JetStream, no Redis',
    addresses: [address],
    coalesces: true,
    client: (_format, channels) => ({
      request: upgradeRequest(address, '/', {}),
      afterUpgrade: binaryFrame(Buffer.from(`${CONNECT}${subscriptions(channels)}PING\r\n`)),
      ready: 'PONG\r\n',
    }),
    publishing: {
      address: `127.0.0.1:${publishPort}`,
      preamble: Buffer.from(CONNECT),
      error: '-ERR',
    },
    publication: (channel, event) =>
      Buffer.concat([
        Buffer.from(`PUB ${subject(channel)} ${event.length}\r\n`),
        event,
        Buffer.from('\r\n'),
      ]),
    [Symbol.asyncDispose]: () => owner.disposeAsync(),
  };
}

function subscriptions(channels: readonly number[]): string {
  return channels.map((channel) => `SUB ${subject(channel)} ${channel}\r\n`).join('');
}

function subject(channel: number): string {
  return `bench.${channelName(channel)}`;
}
