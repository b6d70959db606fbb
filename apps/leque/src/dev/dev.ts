import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createJwtVerifier } from '@leque/auth-jwt';
import { type Clock, isLoopbackHost, systemClock, type Tracing } from '@leque/core';
import { createGateway, watchGateway } from '@leque/gateway';
import { ProtocolError } from '@leque/protocol';
import {
  answerNotFound,
  answerWithProblems,
  createPublisherApp,
  newPublishCounters,
  publisherPolicy,
  publisherStatus,
  SERVER_OPTIONS,
} from '@leque/publisher';
import {
  answerLogLevel,
  answerStatus,
  type RunningServer,
  registerOperations,
} from '@leque/service';
import { openTracing } from '@leque/telemetry-otel';
import { logFacts, PrometheusTelemetry } from '@leque/telemetry-prometheus';
import fastify, { type FastifyInstance, LogController } from 'fastify';
import manifest from '../../package.json' with { type: 'json' };
import { type Backend, openBackend } from './backend.ts';
import { printBanner } from './banner.ts';
import type { DevConfig } from './config.ts';
import { listenAlso } from './listeners.ts';

/** The name under which operators of the earlier Socket.IO system search their logs. */
const LOG_CONTEXT = 'EventsGateway';
const LOOPBACK = ['127.0.0.1', '::1'] as const;

/** The whole system in one process: gateway, publisher, and a broker inside it or on Redis. */
export async function startDev(config: DevConfig): Promise<RunningServer> {
  const app = fastify({
    ...SERVER_OPTIONS,
    logger: { level: config.LOG_LEVEL },
    // Addresses have tokens in them.
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: true,
  });
  const factLog = app.log.child({ context: LOG_CONTEXT });
  const telemetry = new PrometheusTelemetry({
    next: logFacts(factLog),
    version: manifest.version,
  });
  const backend = openBackend(config, telemetry);
  answerLogLevel(backend.control, config.NODE_ID, [app.log, factLog]);
  const tracing = await openTracing(config, {
    service: 'leque-dev',
    version: manifest.version,
    nodeId: config.NODE_ID,
  });
  const parts = {
    ...backend,
    tracing,
    telemetry,
    clock: systemClock,
    settings: config,
    nodeId: config.NODE_ID,
  };
  await servePublisher(app, parts);
  const gateway = await createGateway(app, parts);
  watchGateway(telemetry, gateway, config);
  telemetry.watchBroker(backend.broker, backend.readings);
  registerOperations(app, { unreadiness: gateway.unreadiness, metrics: telemetry });
  await app.listen({ host: config.HOST ?? LOOPBACK[0], port: config.PORT });
  const { extras, socketIo } = await listenElsewhere(app.server, config);
  await printBanner(app.server, { config, socketIo, health: backend.broker.health() });
  return {
    stopTimeoutMs: gateway.stopTimeoutMs,
    async stop() {
      for (const extra of extras) extra.close();
      await gateway.stop();
      await backend.close();
      await tracing?.close();
      await app.close();
    },
  };
}

async function servePublisher(
  app: FastifyInstance,
  parts: Backend & {
    telemetry: PrometheusTelemetry;
    tracing: Tracing | undefined;
    clock: Clock;
    settings: DevConfig;
  },
): Promise<void> {
  const { telemetry, settings } = parts;
  const counters = newPublishCounters();
  telemetry.watchPublishing(counters);
  answerStatus(parts.control, () => publisherStatus(counters, []));
  answerNotFound(app);
  answerWithProblems(app, telemetry);
  if (isLoopbackHost(settings.HOST ?? LOOPBACK[0])) refuseForeignNames(app);
  app.get('/', { schema: { hide: true } as object }, (_request, reply) => reply.redirect('/docs'));
  const verifier = createJwtVerifier(settings);
  const policy = publisherPolicy(settings);
  await app.register(createPublisherApp({ ...parts, counters, verifier, policy }));
}

/**
 * A page elsewhere may have its own name lead to loopback (DNS rebinding) and then be of the same
 * host as this server, which asks nobody for a token.
 */
function refuseForeignNames(app: FastifyInstance): void {
  app.addHook('onRequest', async ({ hostname }) => {
    const name = hostname.replace(/:\d+$/, '');
    if (isLoopbackHost(name)) return;
    throw new ProtocolError(
      'origin_forbidden',
      `${name} is not this machine; set HOST to serve it`,
    );
  });
}

/** IPv6 loopback, which `localhost` may mean, and the port that Socket.IO clients know. */
async function listenElsewhere(main: Server, config: DevConfig) {
  const { port } = main.address() as AddressInfo;
  const hosts = config.HOST === undefined ? LOOPBACK : [config.HOST];
  const socketIoPort = config.SOCKETIO_PORT === port ? 0 : config.SOCKETIO_PORT;
  const listen = (addresses: { host: string; port: number }[]) =>
    Promise.all(addresses.map((address) => listenAlso(main, address)));
  const onMainPort = await listen(hosts.slice(1).map((host) => ({ host, port })));
  const onSocketIoPort =
    socketIoPort === 0 ? [] : await listen(hosts.map((host) => ({ host, port: socketIoPort })));
  const extras = [...onMainPort, ...onSocketIoPort].filter((server) => server !== undefined);
  return { extras, socketIo: onSocketIoPort[0] };
}
