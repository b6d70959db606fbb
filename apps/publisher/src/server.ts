import { createGrantSigner, createJwtVerifier } from '@leque/auth-jwt';
import { openRedis } from '@leque/broker-redis';
import { systemClock } from '@leque/core';
import {
  type Backend,
  ClientAddresses,
  type Role,
  type RunningServer,
  type ServiceContext,
  startService,
} from '@leque/service';
import { openTracing } from '@leque/telemetry-otel';
import { type AnsweredRequest, logFacts, PrometheusTelemetry } from '@leque/telemetry-prometheus';
import type { FastifyInstance } from 'fastify';
import manifest from '../package.json' with { type: 'json' };
import { createPublisherApp, newPublishCounters } from './app.ts';
import type { PublisherConfig } from './config.ts';
import { publisherPolicy } from './settings.ts';

/** Starts a publisher process on Redis. */
export function startPublisher(config: PublisherConfig): Promise<RunningServer> {
  const { version } = manifest;
  return startService(
    { name: 'leque-publisher', version, settings: config },
    {
      createTelemetry: (log) =>
        new PrometheusTelemetry({ next: logFacts(log, systemClock), version }),
      openBackend(telemetry, clock) {
        const redis = openRedis(config, {
          nodeId: config.NODE_ID,
          telemetry,
          secret: config.JWT_SECRET,
          clock,
        });
        // A publisher receives nothing and holds no lease, so it has neither probes nor an age.
        return { ...redis, readings: undefined };
      },
      openTracing: (process) => openTracing(config, process),
      serve: async (context) => [await servePublisher(context, config)],
    },
  );
}

/** Makes a process a publisher: adds the API to its server and the counters to its metrics. */
export async function servePublisher(
  context: ServiceContext<PrometheusTelemetry, Backend>,
  settings: Parameters<typeof publisherPolicy>[0] & Parameters<typeof createJwtVerifier>[0],
): Promise<Role> {
  const { app, backend, telemetry, clock } = context;
  const counters = newPublishCounters();
  telemetry.watchPublishing(counters);
  countRequests(app, telemetry.watchHttp());
  const verifier = createJwtVerifier(settings, clock, telemetry);
  const grantSigner = createGrantSigner(settings);
  const policy = publisherPolicy(settings);
  const addresses = new ClientAddresses(settings);
  const own = { counters, verifier, grantSigner, policy, addresses };
  await app.register(createPublisherApp({ ...context, ...backend, ...own }));
  const { version } = manifest;
  return { status: () => ({ app: 'publisher', version, stored: counters.stored }) };
}

function countRequests(app: FastifyInstance, count: (request: AnsweredRequest) => void): void {
  app.addHook('onResponse', ({ method, routeOptions, log }, reply, done) => {
    const { url: route } = routeOptions; // Fastify copies the options at each access
    const { statusCode: status, elapsedTime: ms } = reply;
    count({ method, route, status, seconds: ms / 1000 });
    // The address is left out because it may contain a token.
    log.debug({ method, route, status, ms }, 'request');
    done();
  });
}
