import {
  type AuthenticationOutcomes,
  type Broker,
  CLOSE_TIMEOUT_MS,
  type Clock,
  type ClusterState,
  type Control,
  Hub,
  type HubOptions,
  journalOptions,
  parseSlowConsumerRules,
  type Telemetry,
  type Tracing,
} from '@leque/core';
import { registerDeliveryReports } from '@leque/service';
import type { FastifyInstance } from 'fastify';
import { drain } from './drain.ts';
import { watchHalfOpen } from './half-open.ts';
import { Life } from './life.ts';
import type { GatewaySettings } from './settings.ts';
import {
  createTransportContext,
  freePlaces,
  type GatewayTransportContext,
  MAX_SUBSCRIPTIONS,
} from './transport-context.ts';
import { createTransports, type GatewayTransport, type TransportOptions } from './transports.ts';

/** The most that is read of a history at once, in bytes of JSON: a client's room has a few of these. */
const REPLAY_PAGE = { publications: 5000, bytes: 262_144 };

/** The share of free places with which a full node takes newcomers again. */
const FREE_AGAIN = 1 / 20;

/** The parts of a gateway, for which the process that runs it chooses the technologies. */
export interface GatewayDeps extends TransportOptions {
  readonly broker: Broker;
  readonly state: ClusterState;
  readonly control: Control;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  readonly tracing?: Tracing | undefined;
  readonly nodeId: string;
  /** Outcomes of authentications are counted into it. */
  readonly authentications: AuthenticationOutcomes;
  /** True while the process can open no more sockets; never when it is undefined. */
  readonly isOutOfDescriptors?: () => boolean;
  /** Makes the transports; `createTransports` of this app when it is undefined. */
  readonly createTransports?: typeof createTransports;
}

/** Sockets in, publications out. */
export interface Gateway {
  readonly hub: Hub;
  readonly transports: readonly GatewayTransport[];
  /** The reasons against new connections, such as `full`; empty when there are none. */
  unreadiness(): readonly string[];
  /**
   * Refuses newcomers, moves the sessions away over the drain timeout, and closes all transports.
   * Broker, cluster state and HTTP server stay open; their owner closes them.
   */
  drain(): Promise<void>;
}

/** Starts all transports on an HTTP server and joins the cluster. */
export async function createGateway(app: FastifyInstance, deps: GatewayDeps): Promise<Gateway> {
  const hub = new Hub(deps, hubOptions(deps.settings));
  const life = new Life();
  const context = createTransportContext({ ...deps, hub, life });
  const transports = (deps.createTransports ?? createTransports)(context, deps);
  watchHalfOpen(app.server, {
    ...deps,
    counters: hub.counters,
    isOutOfDescriptors: context.isOutOfDescriptors,
    places: () => freePlaces(hub, deps.settings) - context.joining.size,
  });
  for (const transport of transports) {
    hub.counters.of(transport.name); // its metrics exist before its first connection
    await transport.start(app);
  }
  registerDeliveryReports(deps.control, hub);
  await deps.broker.start(hub);
  await deps.state.join({
    userConnectionsChanged(userId, connections) {
      for (const each of transports) each.userConnectionsChanged?.(userId, connections);
    },
  });
  return {
    hub,
    transports,
    unreadiness: unreadinessOf(context, deps.settings),
    drain: () => drainAndClose(app, { settings: deps.settings, context, life, transports }),
  };
}

interface Running {
  readonly settings: GatewaySettings;
  readonly context: GatewayTransportContext;
  readonly life: Life;
  readonly transports: readonly GatewayTransport[];
}

async function drainAndClose(app: FastifyInstance, running: Running): Promise<void> {
  const { settings, context, life, transports } = running;
  const { hub, clock, admission, verifications } = context;
  life.drain();
  admission.close();
  await drain(hub, clock, {
    timeoutMs: settings.DRAIN_TIMEOUT * 1000,
    returnRate: settings.ADMISSION_RATE,
  });
  for (const each of verifications) each.close();
  // A transport may wait for whatever the HTTP server still reads or answers.
  const cut = clock.after(CLOSE_TIMEOUT_MS, () => app.server.closeAllConnections());
  await Promise.all(transports.map((each) => each.close()));
  cut();
  hub.close(); // after the last session, because the broker delivers to the hub until then
}

/**
 * A full node stays so until a twentieth of its places is free again: a load balancer that looks
 * every few seconds would otherwise send it a crowd for each client that leaves.
 */
function unreadinessOf(
  { hub: { sessions } }: GatewayTransportContext,
  settings: GatewaySettings,
): () => readonly string[] {
  const { WEBSOCKET_MAX_CONNECTIONS: max } = settings;
  const enough = Math.floor(max * (1 - FREE_AGAIN));
  let full = false;
  return () => {
    full = sessions.size >= max || (full && sessions.size > enough);
    return full ? ['full'] : [];
  };
}

function hubOptions(settings: GatewaySettings): HubOptions {
  return {
    outboxMaxBytes: settings.OUTBOX_MAX_BYTES,
    fanoutWindowMs: settings.FANOUT_WINDOW_MS,
    slowConsumerRules: parseSlowConsumerRules(settings.SLOW_CONSUMER_RULES),
    unsubscribeGraceMs: settings.UNSUBSCRIBE_GRACE * 1000,
    replayPage: REPLAY_PAGE,
    maxSubscriptions: MAX_SUBSCRIPTIONS,
    journal: journalOptions(settings),
  };
}
