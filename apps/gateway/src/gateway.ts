import { EventEmitter } from 'node:events';
import { createJwtVerifier } from '@leque/auth-jwt';
import {
  type Broker,
  CLOSE_TIMEOUT_MS,
  type Clock,
  type ClusterState,
  Hub,
  listOf,
  type OriginPolicy,
  parseSlowConsumerRules,
  type Telemetry,
} from '@leque/core';
import {
  type SocketIoContext,
  type SocketIoTransport,
  serveSocketIo,
} from '@leque/transport-socketio';
import { registerWebSockets } from '@leque/transport-ws';
import type { FastifyInstance } from 'fastify';
import type { GatewaySettings } from './config.ts';
import { drain } from './drain.ts';
import { kernelWriter } from './socket-writer.ts';

const SOCKET_IO_PATH = '/socket.io/';
/** After the drain: the last clients, the lease, the connections. */
const LEAVE_TIMEOUT_MS = 10_000;
/** More than any client shows at once; a token that leads to more is refused. */
const MAX_SUBSCRIPTIONS = 512;
/** More than any client that was away for a moment has missed. */
const MAX_RECOVERED = 5000;

/** What a gateway is made of; the process that runs it chooses the technologies. */
export interface GatewayParts {
  readonly broker: Broker;
  readonly state: ClusterState;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  readonly settings: GatewaySettings;
  readonly nodeId: string;
  /** Socket.IO's own cluster adapter; none in a single process. */
  readonly socketIoAdapter: SocketIoContext['adapter'];
}

/** Sockets in, publications out. */
export interface Gateway {
  readonly hub: Hub;
  readonly socketIoWrites: SocketIoTransport['writes'];
  /** Why this node should get no new connections; empty when it should. */
  readonly unreadiness: () => string[];
  /**
   * Refuses newcomers, moves the sessions away over the drain timeout, then leaves the cluster.
   * The HTTP server is closed by its owner.
   */
  stop(): Promise<void>;
  readonly stopTimeoutMs: number;
}

/** Attaches both transports to an HTTP server and joins the cluster. */
export async function createGateway(app: FastifyInstance, parts: GatewayParts): Promise<Gateway> {
  const { broker, state, settings } = parts;
  const hub = new Hub(parts, {
    outboxMaxBytes: settings.OUTBOX_MAX_BYTES,
    fanoutWindowMs: settings.FANOUT_WINDOW_MS,
    slowConsumerRules: parseSlowConsumerRules(settings.SLOW_CONSUMER_RULES),
    unsubscribeGraceMs: settings.UNSUBSCRIBE_GRACE * 1000,
    maxRecovered: MAX_RECOVERED,
    maxSubscriptions: MAX_SUBSCRIPTIONS,
  });
  const drainTimeoutMs = settings.DRAIN_TIMEOUT * 1000;
  let draining = false;
  const shared = sharedContext(parts, hub, () => draining);
  await registerWebSockets(
    app,
    {
      ...shared,
      nodeId: parts.nodeId,
      compression: settings.WEBSOCKET_COMPRESSION === 'on',
      authRequired: settings.AUTH_MODE === 'required',
      firehose: settings.FIREHOSE === 'on',
    },
    upgradesOf(app),
  );
  const socketIo = serveSocketIo(app.server, {
    ...shared,
    adapter: parts.socketIoAdapter,
    limits: { ...shared.limits, engineIo3: settings.SOCKETIO_EIO3 === 'on' },
  });
  await broker.start(hub);
  await state.join({
    userConnectionsChanged: (userId, count) => socketIo.announceConnections(userId, count),
  });
  return {
    hub,
    socketIoWrites: socketIo.writes,
    unreadiness: () => {
      const health = broker.health();
      return [...(draining ? ['draining'] : []), ...(health.ok ? [] : [health.reason])];
    },
    stopTimeoutMs: drainTimeoutMs + LEAVE_TIMEOUT_MS,
    async stop() {
      draining = true;
      await drain(hub, parts.clock, drainTimeoutMs);
      hub.close();
      await state.close();
      await broker.close();
      // It waits for whatever the HTTP server still reads or answers.
      const cut = parts.clock.after(CLOSE_TIMEOUT_MS, () => app.server.closeAllConnections());
      await socketIo.close();
      cut();
    },
  };
}

/** What both transports need alike. */
function sharedContext(parts: GatewayParts, hub: Hub, isDraining: () => boolean) {
  const { state, telemetry, clock, settings } = parts;
  return {
    hub,
    state,
    telemetry,
    clock,
    writer: kernelWriter,
    isDraining,
    verifier: createJwtVerifier(settings),
    origins: originPolicy(settings),
    limits: {
      heartbeatIntervalMs: settings.WEBSOCKET_HEARTBEAT_INTERVAL * 1000,
      timeoutMs: settings.WEBSOCKET_TIMEOUT * 1000,
      maxConnections: settings.WEBSOCKET_MAX_CONNECTIONS,
      maxMessageBytes: settings.WEBSOCKET_MAX_MESSAGE_SIZE,
      maxSubscriptions: MAX_SUBSCRIPTIONS,
      outboxMaxBytes: settings.OUTBOX_MAX_BYTES,
    },
  };
}

function originPolicy(settings: GatewaySettings): OriginPolicy {
  return { allowed: listOf(settings.CORS_ORIGIN), loopback: settings.AUTH_MODE === 'open' };
}

/** Socket.IO takes its own upgrades from the server; these are the others. */
function upgradesOf(app: FastifyInstance): EventEmitter {
  const upgrades = new EventEmitter();
  app.server.on('upgrade', (request, socket, head) => {
    if (!request.url?.startsWith(SOCKET_IO_PATH)) upgrades.emit('upgrade', request, socket, head);
  });
  return upgrades;
}
