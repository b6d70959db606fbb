import { once } from 'node:events';
import { createServer } from 'node:http';
import { createAdapter, createShardedAdapter } from '@socket.io/redis-adapter';
import { Redis } from 'ioredis';
import { Server, type ServerOptions } from 'socket.io';

const [port = '', redisUrl = '', key = '', heartbeatSeconds = '', adapter = ''] =
  process.argv.slice(2);

const publisher = new Redis(redisUrl);
const subscriber = publisher.duplicate();
await Promise.all([once(publisher, 'ready'), once(subscriber, 'ready')]);
const http = createServer();
const io = new Server(http, {
  transports: ['websocket'],
  serveClient: false,
  pingInterval: Number(heartbeatSeconds) * 1000,
  ...adapterOption(),
});

// The documentation recommends this to save memory.
io.engine.on('connection', (socket: { request: unknown }) => {
  socket.request = null;
});

io.on('connection', async (socket) => {
  const { rooms } = socket.handshake.auth as { rooms: string[] };
  await socket.join(rooms);
  if (adapter === 'local') await subscriber.subscribe(...rooms.map((room) => `${key}:${room}`));
  // Its answer follows those of the adapter's subscriptions, which cannot be awaited.
  else await subscriber.ping();
  socket.emit('ready');
});

if (adapter === 'local') {
  subscriber.on('message', (channel: string, message: string) => {
    io.local.to(channel.slice(key.length + 1)).emit('bench', JSON.parse(message));
  });
}

http.listen(Number(port), '127.0.0.1');

function adapterOption(): Partial<ServerOptions> {
  if (adapter === 'classic') return { adapter: createAdapter(publisher, subscriber, { key }) };
  if (adapter === 'sharded') {
    return { adapter: createShardedAdapter(publisher, subscriber, { channelPrefix: key }) };
  }
  return {};
}
