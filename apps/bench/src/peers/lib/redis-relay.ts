import { randomUUID } from 'node:crypto';
import { type CommandLine, PeerProcess, respCommand } from '@leque/lab';
import type { RunningTarget, Target, TargetContext } from '../../targets/target.ts';
import { upgradeRequest } from '../../targets/websocket-bytes.ts';
import { channelName } from '../../workloads/event.ts';

/** A server that relays messages of Redis channels to raw WebSocket clients. */
export interface Relay extends Pick<Target, 'name' | 'unavailable' | 'install'> {
  command(options: RelayOptions): Promise<CommandLine>;
  versions(): Promise<Readonly<Record<string, string>>>;
  readonly flags: string;
  /** The message that confirms a client's subscription. */
  readonly ready: string;
}

export interface RelayOptions extends Pick<TargetContext, 'port' | 'redis' | 'channels'> {
  /** Prefix of the Redis channels. */
  readonly prefix: string;
  /** 0 for no heartbeats. */
  readonly heartbeatSeconds: number;
}

/** The target of a relay, whose clients name their channels in the path. */
export function redisRelay(relay: Relay): Target {
  const { name, unavailable, install } = relay;
  return {
    name,
    formats: ['ws'],
    unavailable,
    ...(install && { install }),
    start: (context) => start(relay, context),
  };
}

async function start(relay: Relay, context: TargetContext): Promise<RunningTarget> {
  const { port, redis, channels, heartbeatSeconds = 0 } = context;
  const prefix = `bench-${randomUUID().slice(0, 8)}:`;
  const command = await relay.command({ port, redis, channels, prefix, heartbeatSeconds });
  const versions = await relay.versions();
  const peer = await PeerProcess.start(command, context);
  const address = `127.0.0.1:${port}`;
  return {
    pids: [peer.pid],
    versions,
    flags: relay.flags,
    addresses: [address],
    client: (_format, channels) => ({
      request: upgradeRequest(address, `/${channels.map(channelName).join(',')}`, {}),
      afterUpgrade: Buffer.alloc(0),
      ready: relay.ready,
    }),
    publishing: { address: `${redis.host}:${redis.port}`, error: '-ERR', ack: ':' },
    publication: (channel, event) =>
      respCommand('PUBLISH', `${prefix}${channelName(channel)}`, event),
    [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose](),
  };
}
