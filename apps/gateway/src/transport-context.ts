import { createVerifiers } from '@leque/auth-jwt';
import {
  AddressLimit,
  Admission,
  type AuthenticationOutcomes,
  type Clock,
  type ClusterState,
  countedGrantVerifier,
  countedVerifier,
  type GrantVerifier,
  type Hub,
  Joining,
  KnownTokens,
  originPolicyOf,
  pacedGrantVerifier,
  pacedVerifier,
  type Telemetry,
  type TransportContext,
  type TransportLimits,
} from '@leque/core';
import { ClientAddresses } from '@leque/service';
import type { Life } from './life.ts';
import type { GatewaySettings } from './settings.ts';
import { kernelWriter } from './socket-writer.ts';

/** Channels of one session: more than any client shows at once. A token for more is refused. */
export const MAX_SUBSCRIPTIONS = 512;
/** Clients of some platforms give up a connection that takes longer than a few seconds. */
const HANDSHAKE_WAIT_MS = 1000;
/** Longer, because refusing a client that was admitted would waste the work done for it. */
const VERIFICATION_WAIT_MS = 5000;
/**
 * Grants that are verified in the time of one token: a join is more than its signature, and a client that
 * comes back presents a grant for each of its rooms.
 */
const GRANTS_PER_TOKEN = 4;

export interface TransportContextDeps {
  readonly hub: Hub;
  readonly life: Life;
  readonly state: ClusterState;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  readonly settings: GatewaySettings;
  readonly nodeId: string;
  readonly authentications: AuthenticationOutcomes;
  readonly isOutOfDescriptors?: () => boolean;
}

export interface GatewayTransportContext extends TransportContext {
  readonly grants: GrantVerifier;
  /** Pace the verification of tokens, and that of grants: forged grants delay nobody's join. */
  readonly verifications: readonly Admission[];
}

/** Makes what all transports of a gateway share. */
export function createTransportContext(deps: TransportContextDeps): GatewayTransportContext {
  const { hub, life, state, telemetry, clock, settings, nodeId, authentications } = deps;
  const pace = { rate: settings.ADMISSION_RATE, burst: settings.ADMISSION_BURST };
  const ofTokens = new Admission(clock, { ...pace, waitMs: VERIFICATION_WAIT_MS });
  const ofGrants = new Admission(clock, {
    rate: pace.rate * GRANTS_PER_TOKEN,
    burst: pace.burst * GRANTS_PER_TOKEN,
    waitMs: VERIFICATION_WAIT_MS,
  });
  const knownTokens = new KnownTokens();
  const { tokens, grants } = createVerifiers(settings, clock, telemetry);
  return {
    nodeId,
    hub,
    state,
    telemetry,
    clock,
    writer: kernelWriter,
    admission: new Admission(clock, { ...pace, waitMs: HANDSHAKE_WAIT_MS }),
    verifications: [ofTokens, ofGrants],
    knownTokens,
    joining: new Joining(clock, () => freePlaces(hub, settings)),
    addresses: new ClientAddresses(settings),
    addressLimit: new AddressLimit(settings.MAX_CONNECTIONS_PER_ADDRESS),
    verifier: countedVerifier(pacedVerifier(tokens, ofTokens, knownTokens), authentications),
    grants: countedGrantVerifier(pacedGrantVerifier(grants, ofGrants), authentications),
    authRequired: settings.AUTH_MODE === 'required',
    firehose: settings.FIREHOSE === 'on',
    isDraining: () => life.isDraining,
    isOutOfDescriptors: deps.isOutOfDescriptors ?? (() => false),
    origins: originPolicyOf(settings),
    limits: transportLimits(settings),
  };
}

/** Connections that may be joining: they take places that no session has. */
export function freePlaces({ sessions }: Hub, settings: GatewaySettings): number {
  const { WEBSOCKET_MAX_CONNECTIONS: max, WEBSOCKET_MAX_JOINING: maxJoining } = settings;
  return Math.min(maxJoining, max - sessions.size);
}

function transportLimits(settings: GatewaySettings): TransportLimits {
  return {
    heartbeatIntervalMs: settings.WEBSOCKET_HEARTBEAT_INTERVAL * 1000,
    pingIntervalMs: settings.WEBSOCKET_PING_INTERVAL * 1000,
    timeoutMs: settings.WEBSOCKET_TIMEOUT * 1000,
    maxConnections: settings.WEBSOCKET_MAX_CONNECTIONS,
    maxConnectionsPerUser: settings.MAX_CONNECTIONS_PER_USER,
    maxMessageBytes: settings.WEBSOCKET_MAX_MESSAGE_SIZE,
    maxSubscriptions: MAX_SUBSCRIPTIONS,
    outboxMaxBytes: settings.OUTBOX_MAX_BYTES,
    maxEventBytes: settings.MAX_EVENT_SIZE,
    input: {
      packetsPerSecond: settings.INPUT_RATE,
      packetBurst: settings.INPUT_BURST,
      bytesPerSecond: settings.INPUT_BYTE_RATE,
      byteBurst: settings.INPUT_BYTE_BURST,
      holdMs: settings.INPUT_HOLD_LIMIT * 1000,
    },
    commands: { perSecond: settings.COMMAND_RATE, burst: settings.COMMAND_BURST },
  };
}
