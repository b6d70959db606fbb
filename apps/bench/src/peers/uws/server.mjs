// Plain JavaScript, because the Node that its binary is made for runs no TypeScript.
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { Redis } from 'ioredis';

const [port, redisUrl, prefix, heartbeatSeconds, folder] = process.argv.slice(2);
const uws = createRequire(import.meta.url)(folder);
// A client is pinged 16 seconds before the timeout, or sooner where that is shorter than 32.
const PING_BEFORE_S = 16;
const SHORTEST_S = 2 * PING_BEFORE_S;
const LONGEST_S = 960;
const idleTimeout = idleTimeoutFor(Number(heartbeatSeconds));

const redis = new Redis(redisUrl);
await once(redis, 'ready');
const app = uws.App();

redis.on('messageBuffer', (channel, message) => {
  app.publish(channel.toString(), message, false);
});

app.ws('/*', {
  compression: uws.DISABLED,
  idleTimeout,
  sendPingsAutomatically: idleTimeout > 0,
  upgrade(response, request, context) {
    response.upgrade(
      { channels: request.getUrl().slice(1).split(','), open: true },
      request.getHeader('sec-websocket-key'),
      request.getHeader('sec-websocket-protocol'),
      request.getHeader('sec-websocket-extensions'),
      context,
    );
  },
  async open(client) {
    const topics = client.channels.map((channel) => prefix + channel);
    for (const topic of topics) client.subscribe(topic);
    await redis.subscribe(...topics);
    if (client.open) client.send('ready');
  },
  close(client) {
    client.open = false;
  },
});

app.listen('127.0.0.1', Number(port), (listening) => {
  if (!listening) process.exit(1);
});

/** 0: no pings. */
function idleTimeoutFor(heartbeat) {
  if (heartbeat === 0) return 0;
  return Math.min(Math.max(heartbeat + PING_BEFORE_S, SHORTEST_S), LONGEST_S);
}
