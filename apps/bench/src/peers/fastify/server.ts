import { openRedis, RedisSettings } from '@leque/broker-redis';
import type { Published } from '@leque/core';
import { readConfig } from '@leque/service';
import fastify from 'fastify';

interface Sent {
  readonly type: string;
  readonly project_id: string;
}

const [port = '', redisUrl = ''] = process.argv.slice(2);
const quiet = { report: () => {} };
const settings = readConfig(RedisSettings, { REDIS_URL: redisUrl });
const { broker, connect } = openRedis(settings, { nodeId: 'bench', telemetry: quiet });
await connect();

const app = fastify();
app.post<{ Body: Sent | Sent[] }>('/api/publish', async ({ body }) => {
  if (!Array.isArray(body)) return answer(await store(body));
  return { results: (await Promise.all(body.map(store))).map(answer) };
});
await app.listen({ host: '127.0.0.1', port: Number(port) });

function store(sent: Sent): Promise<Published> {
  return broker.publish({
    type: sent.type,
    channel: `project:${sent.project_id}`,
    messageId: crypto.randomUUID(),
    json: JSON.stringify(sent),
  });
}

function answer({ messageId, duplicate }: Published) {
  return { message_id: messageId, duplicate };
}
