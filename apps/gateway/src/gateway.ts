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
  type HubOptions,
  journalOptions,
  type OriginPolicy,
  pacedVerifier,
  parseSlowConsumerRules,
  type Telemetry,
  type Tracing,
} from '@leque/core';
import { listOf, registerTraces } from '@leque/service';
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
import { recoveryIds } from './socketio-recovery.ts';
import { rawUpgrades } from './upgrades.ts';

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
  /** Outcomes of authentications are counted into it. */
  readonly authentications: AuthenticationOutcomes;
  /** Socket.IO's own cluster adapter; none in a single process. */
  readonly socketIoAdapter: SocketIoContext['adapter'];
}

/** Sockets in, publications out. */
export interface Gateway {
  readonly hub: Hub;
  readonly socketIoWrites: SocketIoTransport['writes'];
  /**
   * Refuses newcomers, moves the sessions away over the drain timeout, and closes both transports.
   * Broker, cluster state and HTTP server stay open; their owner closes them.
   */
  drain(): Promise<void>;
}

/** Attaches both transports to an HTTP server and joins the cluster. */
export async function createGateway(app: FastifyInstance, parts: GatewayParts): Promise<Gateway> {
  const { broker, state, settings } = parts;
  const hub = new Hub(parts, hubOptions(settings));
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
  registerTraces(parts.control, hub);
  await broker.start(hub);
  await state.join({
    userConnectionsChanged: (userId, count) => socketIo.announceConnections(userId, count),
  });
  return {
    hub,
    socketIoWrites: socketIo.writes,
    async drain() {
      admission.close();
      await drain(hub, parts.clock, {
        timeoutMs: settings.DRAIN_TIMEOUT * 1000,
        returnRate: settings.ADMISSION_RATE,
      });
      verifications.close();
      hub.close();
      // It waits for whatever the HTTP server still reads or answers.
      const cut = parts.clock.after(CLOSE_TIMEOUT_MS, () => app.server.closeAllConnections());
      await socketIo.close();
      cut();
    },
  };
}

function hubOptions(settings: GatewaySettings): HubOptions {
  return {
    outboxMaxBytes: settings.OUTBOX_MAX_BYTES,
    fanoutWindowMs: settings.FANOUT_WINDOW_MS,
    slowConsumerRules: parseSlowConsumerRules(settings.SLOW_CONSUMER_RULES),
    unsubscribeGraceMs: settings.UNSUBSCRIBE_GRACE * 1000,
    maxRecovered: MAX_RECOVERED,
    maxSubscriptions: MAX_SUBSCRIPTIONS,
    journal: journalOptions(settings),
  };
}

/** What both transports need alike. */
function sharedContext(parts: GatewayParts, hub: Hub) {
  const { state, telemetry, clock, settings } = parts;
  const pace = { rate: settings.ADMISSION_RATE, burst: settings.ADMISSION_BURST };
  const admission = new Admission(clock, { ...pace, waitMs: HANDSHAKE_WAIT_MS });
  const verifications = new Admission(clock, { ...pace, waitMs: VERIFICATION_WAIT_MS });
  return {
    hub,
    state,
    telemetry,
    clock,
    writer: kernelWriter,
    admission,
    verifications,
    isDraining: () => admission.closed,
    verifier: countedVerifier(
      pacedVerifier(createJwtVerifier(settings), verifications),
      parts.authentications,
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
