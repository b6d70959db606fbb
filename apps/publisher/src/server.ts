import { setTimeout as delay } from 'node:timers/promises';
import { createJwtVerifier } from '@leque/auth-jwt';
import { openRedis } from '@leque/broker-redis';
import { type Broker, systemClock } from '@leque/core';
import {
  answerLogLevel,
  answerStatus,
  type RunningServer,
  registerOperations,
} from '@leque/service';
import { openTracing } from '@leque/telemetry-otel';
import { type AnsweredRequest, logFacts, PrometheusTelemetry } from '@leque/telemetry-prometheus';
import fastify, { type FastifyInstance, LogController } from 'fastify';
import manifest from '../package.json' with { type: 'json' };
import { answerNotFound, answerWithProblems } from './answer-problems.ts';
import { createPublisherApp, newPublishCounters, publisherStatus } from './app.ts';
import type { PublisherConfig } from './config.ts';
import { SERVER_OPTIONS } from './server-options.ts';
import { publisherPolicy } from './settings.ts';

/** Every request is answered in a second; what is still open after this long is cut. */
const CLOSE_TIMEOUT_MS = 3_000;
/** After the grace: the requests under way, the connections. */
const LEAVE_TIMEOUT_MS = 10_000;

const PROCESS = { service: 'leque-publisher', version: manifest.version };

/** One publisher process on Redis. A Redis that is away only makes it not ready. */
export async function startPublisher(config: PublisherConfig): Promise<RunningServer> {
  const app = makeServer(config);
  const telemetry = new PrometheusTelemetry({ next: logFacts(app.log), version: manifest.version });
  const { broker, state, control, ...redis } = openRedis(config, {
    nodeId: config.NODE_ID,
    telemetry,
  });
  const tracing = await openTracing(config, { ...PROCESS, nodeId: config.NODE_ID });
  const counters = newPublishCounters();
  const authentications = {};
  telemetry.watchBroker(broker);
  telemetry.watchPublishing(counters);
  telemetry.watchAuthentications(authentications);
  countRequests(app, telemetry.watchHttp());
  let leaving = false;
  endConnectionsWhen(app, () => leaving);
  answerWithProblems(app, telemetry);
  answerNotFound(app);
  await app.register(
    createPublisherApp({
      broker,
      state,
      telemetry,
      control,
      clock: systemClock,
      tracing,
      counters,
      authentications,
      verifier: createJwtVerifier(config),
      policy: publisherPolicy(config),
    }),
  );
  answerLogLevel(control, config.NODE_ID, [app.log]);
  const unreadiness = () => [...(leaving ? ['draining'] : []), ...problemsOf(broker)];
  telemetry.watchReadiness(unreadiness);
  answerStatus(control, () => publisherStatus(counters, unreadiness()));
  registerOperations(app, { unreadiness, metrics: telemetry });
  await Promise.all([app.listen({ host: config.HOST, port: config.PORT }), redis.connect()]);
  return {
    stopTimeoutMs: stopTimeoutMs(config),
    async stop() {
      leaving = true;
      await delay(config.DRAIN_GRACE * 1000);
      const cut = setTimeout(() => app.server.closeAllConnections(), CLOSE_TIMEOUT_MS);
      await app.close(); // answers what is under way
      clearTimeout(cut);
      await state.close();
      await broker.close();
      await redis.close();
      await tracing?.close();
    },
  };
}

function makeServer(config: PublisherConfig) {
  return fastify({
    ...SERVER_OPTIONS,
    logger: { level: config.LOG_LEVEL, base: { node: config.NODE_ID } },
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: 'idle',
  });
}

/** Whoever keeps a connection opens the next one elsewhere, before this one is cut. */
function endConnectionsWhen(app: FastifyInstance, isLeaving: () => boolean): void {
  app.addHook('onSend', async (_request, reply) => {
    if (isLeaving()) reply.header('connection', 'close');
  });
}

function countRequests(app: FastifyInstance, count: (request: AnsweredRequest) => void): void {
  app.addHook('onResponse', async ({ method, routeOptions, log }, { statusCode, elapsedTime }) => {
    count({ method, route: routeOptions.url, status: statusCode, seconds: elapsedTime / 1000 });
    // Without its address, which may have a token in it.
    log.debug({ method, route: routeOptions.url, status: statusCode, ms: elapsedTime }, 'request');
  });
}

/** Of everything that `stop` does. */
export function stopTimeoutMs({ DRAIN_GRACE }: PublisherConfig): number {
  return DRAIN_GRACE * 1000 + LEAVE_TIMEOUT_MS;
}

function problemsOf(broker: Broker): string[] {
  const health = broker.health();
  return health.ok ? [] : [health.reason];
}
