import { createJwtVerifier } from '@leque/auth-jwt';
import {
  Admission,
  type AuthenticationOutcomes,
  type Broker,
  CLOSE_TIMEOUT_MS,
  type Clock,
  type ClusterState,
  type Control,
  countedVerifier,
  Hub,
  type HubLimits,
  journalLimits,
  type OriginPolicy,
  pacedVerifier,
  parseSlowConsumerRules,
  type Telemetry,
  type Tracing,
} from '@leque/core';
import { type AppStatus, answerStatus, answerTraces, listOf } from '@leque/service';
import {
  type SocketIoContext,
  type SocketIoTransport,
  serveSocketIo,
} from '@leque/transport-socketio';
import { registerWebSockets } from '@leque/transport-ws';
import type { FastifyInstance } from 'fastify';
import manifest from '../package.json' with { type: 'json' };
import type { GatewaySettings } from './config.ts';
import { drain, pause } from './drain.ts';
import { kernelWriter } from './socket-writer.ts';
import { recoveryIds } from './socketio-recovery.ts';
import { rawUpgrades } from './upgrades.ts';

/** After the drain: the last clients, the lease, the connections. */
const LEAVE_TIMEOUT_MS = 10_000;
/** More than any client shows at once; a token that leads to more is refused. */
const MAX_SUBSCRIPTIONS = 512;
/** More than any client that was away for a moment has missed. */
const MAX_RECOVERED = 5000;
/** Clients of some platforms give up a connection that takes longer than a few seconds. */
const HANDSHAKE_WAIT_MS = 1000;
/** Longer, as refusing somebody who has been let in would waste all that was done for it. */
const VERIFICATION_WAIT_MS = 5000;

/** What a gateway is made of; the process that runs it chooses the technologies. */
export interface GatewayParts {
  readonly broker: Broker;
  readonly state: ClusterState;
  readonly control: Control;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  readonly tracing?: Tracing | undefined;
  readonly settings: GatewaySettings;
  readonly nodeId: string;
  /** Socket.IO's own cluster adapter; none in a single process. */
  readonly socketIoAdapter: SocketIoContext['adapter'];
}

/** Sockets in, publications out. */
export interface Gateway {
  readonly hub: Hub;
  readonly socketIoWrites: SocketIoTransport['writes'];
  readonly authentications: AuthenticationOutcomes;
  /** Why this node should get no new connections; empty when it should. */
  readonly unreadiness: () => string[];
  /**
   * Is not ready from here on; after a grace for load balancers refuses newcomers, moves the
   * sessions away over the drain timeout, then leaves the cluster. The HTTP server is closed by
   * its owner.
   */
  stop(): Promise<void>;
  readonly stopTimeoutMs: number;
}

/** What of a gateway is watched for metrics. */
export interface GatewayWatcher {
  watchHub(hub: Hub, limits: { readonly maxConnections: number }): void;
  watchSocketIo(writes: Gateway['socketIoWrites']): void;
  watchAuthentications(outcomes: AuthenticationOutcomes): void;
  watchReadiness(unreadiness: Gateway['unreadiness']): void;
}

export function watchGateway(
  watcher: GatewayWatcher,
  gateway: Gateway,
  settings: Pick<GatewaySettings, 'WEBSOCKET_MAX_CONNECTIONS'>,
): void {
  watcher.watchHub(gateway.hub, { maxConnections: settings.WEBSOCKET_MAX_CONNECTIONS });
  watcher.watchSocketIo(gateway.socketIoWrites);
  watcher.watchAuthentications(gateway.authentications);
  watcher.watchReadiness(gateway.unreadiness);
}

/** Attaches both transports to an HTTP server and joins the cluster. */
export async function createGateway(app: FastifyInstance, parts: GatewayParts): Promise<Gateway> {
  const { broker, state, settings } = parts;
  const hub = new Hub(parts, hubLimits(settings));
  const drainTimeoutMs = settings.DRAIN_TIMEOUT * 1000;
  const drainGraceMs = settings.DRAIN_GRACE * 1000;
  let leaving = false;
  const shared = sharedContext(parts, hub);
  const { admission, verifications } = shared;
  await registerWebSockets(
    app,
    {
      ...shared,
      nodeId: parts.nodeId,
      compression: settings.WEBSOCKET_COMPRESSION === 'on',
      authRequired: settings.AUTH_MODE === 'required',
      firehose: settings.FIREHOSE === 'on',
    },
    rawUpgrades(app.server, shared),
  );
  const socketIo = serveSocketIo(app.server, {
    ...shared,
    adapter: parts.socketIoAdapter,
    recovery: recoveryIds(settings, parts.telemetry, parts.socketIoAdapter === undefined),
    limits: { ...shared.limits, engineIo3: settings.SOCKETIO_EIO3 === 'on' },
  });
  answerTraces(parts.control, hub);
  const unreadiness = () => {
    const health = broker.health();
    return [...(leaving ? ['draining'] : []), ...(health.ok ? [] : [health.reason])];
  };
  answerStatus(parts.control, () => statusOf(hub, unreadiness()));
  await broker.start(hub);
  await state.join({
    userConnectionsChanged: (userId, count) => socketIo.announceConnections(userId, count),
  });
  return {
    hub,
    socketIoWrites: socketIo.writes,
    authentications: shared.authentications,
    unreadiness,
    stopTimeoutMs: stopTimeoutMs(settings),
    async stop() {
      leaving = true;
      if (drainGraceMs > 0) await pause(parts.clock, drainGraceMs);
      admission.close();
      await drain(hub, parts.clock, {
        timeoutMs: drainTimeoutMs,
        returnRate: settings.ADMISSION_RATE,
      });
      verifications.close();
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

function statusOf(hub: Hub, unready: readonly string[]): AppStatus {
  return {
    app: 'gateway',
    version: manifest.version,
    unready,
    connections: hub.sessions.size,
    channels: hub.channelCount,
    messages_sent: hub.counters.messagesSent,
  };
}

/** Of everything that `stop` does. */
export function stopTimeoutMs({ DRAIN_GRACE, DRAIN_TIMEOUT }: GatewaySettings): number {
  return (DRAIN_GRACE + DRAIN_TIMEOUT) * 1000 + LEAVE_TIMEOUT_MS;
}

function hubLimits(settings: GatewaySettings): HubLimits {
  return {
    outboxMaxBytes: settings.OUTBOX_MAX_BYTES,
    fanoutWindowMs: settings.FANOUT_WINDOW_MS,
    slowConsumerRules: parseSlowConsumerRules(settings.SLOW_CONSUMER_RULES),
    unsubscribeGraceMs: settings.UNSUBSCRIBE_GRACE * 1000,
    maxRecovered: MAX_RECOVERED,
    maxSubscriptions: MAX_SUBSCRIPTIONS,
    journal: journalLimits(settings),
  };
}

/** What both transports need alike. */
function sharedContext(parts: GatewayParts, hub: Hub) {
  const { state, telemetry, clock, settings } = parts;
  const pace = { rate: settings.ADMISSION_RATE, burst: settings.ADMISSION_BURST };
  const admission = new Admission(clock, { ...pace, waitMs: HANDSHAKE_WAIT_MS });
  const verifications = new Admission(clock, { ...pace, waitMs: VERIFICATION_WAIT_MS });
  const authentications: AuthenticationOutcomes = {};
  return {
    hub,
    state,
    telemetry,
    clock,
    writer: kernelWriter,
    admission,
    verifications,
    isDraining: () => admission.closed,
    authentications,
    verifier: countedVerifier(
      pacedVerifier(createJwtVerifier(settings), verifications),
      authentications,
    ),
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
