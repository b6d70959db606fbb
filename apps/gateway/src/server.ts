import { openRedis } from '@leque/broker-redis';
import { systemClock, type Telemetry } from '@leque/core';
import {
  type Backend,
  type Role,
  type RunningServer,
  type ServiceContext,
  startService,
  tooFewOpenFiles,
} from '@leque/service';
import { openTracing } from '@leque/telemetry-otel';
import { logFacts, PrometheusTelemetry } from '@leque/telemetry-prometheus';
import manifest from '../package.json' with { type: 'json' };
import type { GatewayConfig } from './config.ts';
import { createGateway, type GatewayDeps } from './gateway.ts';
import type { GatewaySettings } from './settings.ts';
import { redisAdapter } from './socketio-adapter.ts';

/** The name under which operators of the earlier Socket.IO system search their logs. */
export const GATEWAY_LOG_CONTEXT = 'EventsGateway';

type GatewayContext = ServiceContext<PrometheusTelemetry, GatewayBackend>;

export type GatewayBackend = Backend & Pick<GatewayDeps, 'socketIoAdapter'>;

/** Starts a gateway process on Redis. */
export function startGateway(config: GatewayConfig): Promise<RunningServer> {
  const { version } = manifest;
  return startService(
    { name: 'leque-gateway', version, settings: config, logContext: GATEWAY_LOG_CONTEXT },
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
        return { ...redis, socketIoAdapter: redisAdapter(redis) };
      },
      openTracing: (process) => openTracing(config, process),
      serve: async (context) => [await serveGateway(context, config)],
    },
  );
}

/** Makes a process a gateway: adds the transports to its server and the counters to its metrics. */
export async function serveGateway(
  context: GatewayContext,
  settings: GatewaySettings,
): Promise<Role> {
  const { app, backend, telemetry, descriptors } = context;
  const maxConnections = settings.WEBSOCKET_MAX_CONNECTIONS;
  reportOpenFiles(maxConnections, telemetry);
  const gateway = await createGateway(app, {
    ...context,
    ...backend,
    settings,
    isOutOfDescriptors: () => descriptors.exhausted,
  });
  telemetry.watchHub(gateway.hub, { maxConnections });
  telemetry.watchTransports(gateway.transports);
  return {
    status: () => ({
      app: 'gateway',
      version: manifest.version,
      connections: gateway.hub.sessions.size,
      channels: gateway.hub.channelCount,
      messages_sent: gateway.hub.counters.messagesSent,
    }),
    unreadiness: () => gateway.unreadiness(),
    drain: () => gateway.drain(),
  };
}

/** A node that runs out of descriptors before it is full refuses clients that it could have had. */
function reportOpenFiles(maxConnections: number, telemetry: Telemetry): void {
  const detail = tooFewOpenFiles(maxConnections);
  if (detail !== undefined) telemetry.report({ type: 'degraded', part: 'open_files', detail });
}
