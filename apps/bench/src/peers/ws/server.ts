import { once } from 'node:events';
import { Redis } from 'ioredis';
import { WebSocket, WebSocketServer } from 'ws';

const [port = '', redisUrl = '', prefix = '', heartbeatSeconds = ''] = process.argv.slice(2);
const heartbeatMs = Number(heartbeatSeconds) * 1000;
const TEXT = { binary: false };

const redis = new Redis(redisUrl);
await once(redis, 'ready');
const clients = new Map<string, Set<WebSocket>>();
const server = new WebSocketServer({
  host: '127.0.0.1',
  port: Number(port),
  perMessageDeflate: false,
  clientTracking: heartbeatMs > 0,
});

redis.on('messageBuffer', (channel: Buffer, message: Buffer) => {
  for (const client of clients.get(channel.toString()) ?? []) {
    if (client.readyState === WebSocket.OPEN) client.send(message, TEXT);
  }
});

server.on('connection', (client, request) => {
  const channels = (request.url ?? '/').slice(1).split(',');
  client.on('error', () => client.terminate());
  client.on('close', () => {
    for (const channel of channels) clients.get(prefix + channel)?.delete(client);
  });
  Promise.all(channels.map((channel) => join(client, prefix + channel))).then(
    () => client.send('ready'),
    () => client.terminate(),
  );
});

if (heartbeatMs > 0) {
  setInterval(() => {
    for (const client of server.clients) client.ping();
  }, heartbeatMs);
}

async function join(client: WebSocket, channel: string): Promise<void> {
  const members = clients.get(channel) ?? new Set();
  clients.set(channel, members);
  members.add(client);
  await redis.subscribe(channel);
}
