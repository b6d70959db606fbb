import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { PeerProcess, respCommand } from '@leque/lab';
import adapterManifest from '@socket.io/redis-adapter/package.json' with { type: 'json' };
import { Emitter } from '@socket.io/redis-emitter';
import manifest from 'socket.io/package.json' with { type: 'json' };
import type { RunningTarget, Target, TargetContext } from '../../targets/target.ts';
import { textFrame, upgradeRequest } from '../../targets/websocket-bytes.ts';
import { channelName } from '../../workloads/event.ts';

const SERVER = fileURLToPath(new URL('server.ts', import.meta.url));
const DEFAULT_HEARTBEAT_S = 3600;
/** The type of a broadcast message between nodes. */
const BROADCAST = 3;
const EVENT_PACKET = 2;

interface Variant {
  readonly name: string;
  readonly adapter: 'classic' | 'sharded' | 'local';
  /** The Redis command that emits `event` to a room on every node whose keys begin with `key`. */
  publish(key: string, room: string, event: Buffer): Buffer;
}

/** Socket.IO with its Redis adapter; events come from another process, by its Redis emitter. */
export const socketIo = target({
  name: 'socket.io',
  adapter: 'classic',
  publish: (key, room, event) => {
    let command: Buffer = Buffer.alloc(0);
    const publish = (channel: string, message: Buffer) => {
      command = respCommand('PUBLISH', channel, message);
    };
    new Emitter({ publish }, { key }).to(room).emit('bench', JSON.parse(event.toString()));
    return command;
  },
});

/** Socket.IO with the adapter for sharded pub/sub, which has no emitter yet. */
export const socketIoSharded = target({
  name: 'socket.io-sharded',
  adapter: 'sharded',
  publish: (key, room, event) => {
    const data = ['bench', JSON.parse(event.toString())];
    const packet = { type: EVENT_PACKET, data, nsp: '/' };
    const opts = { rooms: [room], except: [], flags: {} };
    const message = { uid: 'bench', nsp: '/', type: BROADCAST, data: { packet, opts } };
    return respCommand('SPUBLISH', `${key}#/#${room}#`, JSON.stringify(message));
  },
});

/** Socket.IO without an adapter, its best case: the server subscribes itself and emits locally. */
export const socketIoLocal = target({
  name: 'socket.io-local',
  adapter: 'local',
  publish: (key, room, event) => respCommand('PUBLISH', `${key}:${room}`, event),
});

function target(variant: Variant): Target {
  return {
    name: variant.name,
    formats: ['socketio'],
    unavailable: async () => undefined,
    start: (context) => start(variant, context),
  };
}

async function start(variant: Variant, context: TargetContext): Promise<RunningTarget> {
  const { port, redis, heartbeatSeconds = DEFAULT_HEARTBEAT_S } = context;
  const key = `bench-${randomUUID().slice(0, 8)}`;
  const args = [port, redis.url, key, heartbeatSeconds, variant.adapter].map(String);
  const peer = await PeerProcess.start([process.execPath, SERVER, ...args], context);
  const address = `127.0.0.1:${port}`;
  return {
    pids: [peer.pid],
    versions: {
      'socket.io': manifest.version,
      ...(variant.adapter !== 'local' && { '@socket.io/redis-adapter': adapterManifest.version }),
      node: process.version,
    },
    flags: `adapter ${variant.adapter}, websocket only, ws engine, the HTTP request discarded`,
    addresses: [address],
    client: (_format, channels) => ({
      request: upgradeRequest(address, '/socket.io/?EIO=4&transport=websocket', {}),
      afterUpgrade: textFrame(`40${JSON.stringify({ rooms: channels.map(channelName) })}`),
      ready: '42["ready"]',
      replies: { '2': textFrame('3') },
    }),
    publishing: { address: `${redis.host}:${redis.port}`, error: '-ERR', ack: ':' },
    publication: (channel, event) => variant.publish(key, channelName(channel), event),
    [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose](),
  };
}
