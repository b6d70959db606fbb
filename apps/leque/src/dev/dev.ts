import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isLoopbackHost, systemClock } from '@leque/core';
import { GATEWAY_LOG_CONTEXT, serveGateway } from '@leque/gateway';
import { ProtocolError } from '@leque/protocol';
import { servePublisher } from '@leque/publisher';
import { type RunningServer, startService } from '@leque/service';
import { openTracing } from '@leque/telemetry-otel';
import { logFacts, PrometheusTelemetry } from '@leque/telemetry-prometheus';
import type { FastifyInstance } from 'fastify';
import manifest from '../../package.json' with { type: 'json' };
import { listenPage, withPagesOfOperators } from './addresses.ts';
import { openBackend } from './backend.ts';
import { printBanner } from './banner.ts';
import type { DevConfig } from './config.ts';
import { listenAlso } from './listeners.ts';
import { startOnRedis } from './start-on-redis.ts';

const LOOPBACK = ['127.0.0.1', '::1'] as const;

/** Starts the whole system in one process: gateway, publisher, and a broker inside it or on Redis. */
export async function startDev(given: DevConfig): Promise<RunningServer> {
  const config = withPagesOfOperators(given);
  const { REDIS_URL } = config;
  if (REDIS_URL === undefined) return await serveAll(config);
  return await startOnRedis({ ...config, REDIS_URL }, () => serveAll(config));
}

async function serveAll(config: DevConfig): Promise<RunningServer> {
  const { version } = manifest;
  const settings = { ...config, HOST: config.HOST ?? LOOPBACK[0] };
  return await startService(
    { name: 'leque-dev', version, settings, logContext: GATEWAY_LOG_CONTEXT },
    {
      createTelemetry: (log) =>
        new PrometheusTelemetry({ next: logFacts(log, systemClock), version }),
      openBackend: (telemetry) => openBackend(config, telemetry),
      openTracing: (process) => openTracing(config, process),
      async serve(context) {
        if (isLoopbackHost(settings.HOST)) refuseForeignNames(context.app);
        redirectToDocs(context.app, config);
        return [await servePublisher(context, config), await serveGateway(context, config)];
      },
      async listenElsewhere(app, { broker }) {
        const { extras, socketIo } = await listenElsewhere(app.server, config);
        await printBanner(app.server, { config, socketIo, health: broker.health() });
        return extras;
      },
    },
  );
}

/** Without a base path the address is relative, as a proxy may strip a path that this process does not know. */
function redirectToDocs(app: FastifyInstance, config: DevConfig): void {
  const { BASE_PATH: basePath = '.', OPERATIONS_PORT: operations } = config;
  app.get('/', { schema: { hide: true } as object }, ({ hostname, socket }, reply) => {
    if (operations === undefined) return reply.redirect(`${basePath}/docs/listen`);
    const url = (port?: number) => `http://${hostname.replace(/:\d+$/, '')}:${port}`;
    return reply.redirect(listenPage(url(operations), url(socket.localPort)));
  });
}

/**
 * A page elsewhere may point its own name to loopback (DNS rebinding). It would then count as the
 * same host as this server, which asks nobody for a token.
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
    Promise.all(
      addresses.map((address) => listenAlso({ server: main, basePath: config.BASE_PATH }, address)),
    );
  const onMainPort = await listen(hosts.slice(1).map((host) => ({ host, port })));
  const onSocketIoPort =
    socketIoPort === 0 ? [] : await listen(hosts.map((host) => ({ host, port: socketIoPort })));
  const extras = [...onMainPort, ...onSocketIoPort].filter((server) => server !== undefined);
  return { extras, socketIo: onSocketIoPort[0] };
}
