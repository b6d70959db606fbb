import { openRedis } from '@leque/broker-redis';
import { systemClock } from '@leque/core';
import { answerLogLevel, type RunningServer, registerOperations } from '@leque/service';
import { openTracing } from '@leque/telemetry-otel';
import { logFacts, PrometheusTelemetry } from '@leque/telemetry-prometheus';
import fastify, { LogController } from 'fastify';
import manifest from '../package.json' with { type: 'json' };
import type { GatewayConfig } from './config.ts';
import { createGateway, watchGateway } from './gateway.ts';
import { answerNotFound, SERVER_OPTIONS } from './server-options.ts';
import { redisAdapter } from './socketio-adapter.ts';

const PROCESS = { service: 'leque-gateway', version: manifest.version };

/** One gateway process on Redis. */
export async function startGateway(config: GatewayConfig): Promise<RunningServer> {
  const app = fastify({
    ...SERVER_OPTIONS,
    logger: { level: config.LOG_LEVEL, base: { node: config.NODE_ID } },
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: true,
  });
  answerNotFound(app);
  // The name under which operators of the earlier Socket.IO system search their logs.
  const factLog = app.log.child({ context: 'EventsGateway' });
  const telemetry = new PrometheusTelemetry({
    next: logFacts(factLog),
    version: manifest.version,
  });
  const redis = openRedis(config, { nodeId: config.NODE_ID, telemetry });
  answerLogLevel(redis.control, config.NODE_ID, [app.log, factLog]);
  const tracing = await openTracing(config, { ...PROCESS, nodeId: config.NODE_ID });
  const gateway = await createGateway(app, {
    broker: redis.broker,
    state: redis.state,
    control: redis.control,
    telemetry,
    clock: systemClock,
    tracing,
    settings: config,
    nodeId: config.NODE_ID,
    socketIoAdapter: redisAdapter(redis),
  });
  watchGateway(telemetry, gateway, config);
  telemetry.watchBroker(redis.broker, redis.readings);
  registerOperations(app, { unreadiness: gateway.unreadiness, metrics: telemetry });
  await app.listen({ host: config.HOST, port: config.PORT });
  return {
    stopTimeoutMs: gateway.stopTimeoutMs,
    async stop() {
      await gateway.stop();
      await redis.close();
      await tracing?.close();
      await app.close();
    },
  };
}
