import { stat } from 'node:fs/promises';
import { fillTemplate, PeerProcess, program } from '@leque/lab';
import type { RunningTarget, Target, TargetContext } from '../../targets/target.ts';
import { pingFrame, upgradeRequest } from '../../targets/websocket-bytes.ts';
import { channelName } from '../../workloads/event.ts';
import { installDebian, versionOf } from '../lib/tools.ts';

const TEMPLATE = new URL('nginx.conf', import.meta.url);
const MODULE = '/usr/lib/nginx/modules/ngx_nchan_module.so';

/** Nchan, a module of nginx, with its channels in the memory of one worker. */
export const nchan: Target = {
  name: 'nchan',
  formats: ['ws'],
  unavailable: async () =>
    program('nginx') === undefined || !(await exists(MODULE))
      ? 'nginx or its module is not installed (apt-get install nginx libnginx-mod-nchan)'
      : undefined,
  install: () => installDebian('nginx', 'libnginx-mod-nchan'),
  start,
};

async function start(context: TargetContext): Promise<RunningTarget> {
  const { port, heartbeatSeconds = 0 } = context;
  const server = program('nginx') ?? 'nginx';
  await using stack = new AsyncDisposableStack();
  const file = stack.use(
    await fillTemplate(TEMPLATE, {
      MODULE,
      PORT: String(port),
      PING_INTERVAL: String(heartbeatSeconds),
    }),
  );
  const versions = { nginx: await versionOf(server, '-v') };
  const command = [server, '-p', file.folder, '-e', 'stderr', '-c', file.path] as const;
  const peer = stack.use(await PeerProcess.start(command, context));
  const address = `127.0.0.1:${port}`;
  const owner = stack.move();
  return {
    pids: [peer.pid],
    versions,
    flags: 'one process, messages not stored, access log off, no Redis, events by HTTP',
    addresses: [address],
    client: (_format, channels) => ({
      request: upgradeRequest(address, `/sub/${channels.map(channelName).join(',')}`, {}),
      afterUpgrade: pingFrame('ready'),
      ready: 'ready',
    }),
    publishing: { address, error: 'HTTP/1.1 4', ack: 'HTTP/1.1 20' },
    publication: (channel, event) =>
      Buffer.concat([
        Buffer.from(
          `POST /pub/${channelName(channel)} HTTP/1.1\r\nHost: ${address}\r\n` +
            `Content-Type: application/json\r\nContent-Length: ${event.length}\r\n\r\n`,
        ),
        event,
      ]),
    [Symbol.asyncDispose]: () => owner.disposeAsync(),
  };
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
