import { fileURLToPath } from 'node:url';
import { PeerProcess } from '@leque/lab';
import manifest from 'fastify/package.json' with { type: 'json' };
import type { PublisherOptions, RunningPublisher, Target } from '../../targets/target.ts';

const SERVER = fileURLToPath(new URL('server.ts', import.meta.url));

/**
 * The minimum cost of publishing over HTTP on Node: a bare Fastify handler that stores as Leque
 * does, without authorization or validation. It has no subscribers.
 */
export const fastify: Target = {
  name: 'fastify',
  formats: [],
  unavailable: async () => undefined,
  start: () => Promise.reject(new Error('fastify only takes events')),
  startPublisher,
};

async function startPublisher({ redis, port }: PublisherOptions): Promise<RunningPublisher> {
  const command = [process.execPath, SERVER, String(port), redis.url] as const;
  const peer = await PeerProcess.start(command, { port, settings: {} });
  return {
    pid: peer.pid,
    versions: { fastify: manifest.version, node: process.version },
    flags: 'a handler without schema, credentials or checks; the events stored by leque_append',
    [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose](),
  };
}
