import type { OriginPolicy } from '../access/origin-policy.ts';
import type { AddressBook, AddressLimit } from '../admission/address-limit.ts';
import type { Admission } from '../admission/admission.ts';
import type { Joining } from '../admission/joining.ts';
import type { KnownTokens } from '../admission/known-tokens.ts';
import type { Hub } from '../fan-out/hub.ts';
import type { InputContext, InputLimits } from '../input/input-budget.ts';
import type { Clock } from '../lib/clock.ts';
import type { ClusterState } from '../ports/cluster-state.ts';
import type { GrantVerifier } from '../ports/grant-verifier.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { TokenVerifier } from '../ports/token-verifier.ts';
import type { CommandLimits } from './command-pace.ts';

/** A client that does not answer a close, or does not read what precedes it, is cut after this. */
export const CLOSE_TIMEOUT_MS = 3000;
/** A client that has not sent its token by then is cut. */
export const JOIN_DEADLINE_MS = 5000;
/** Fragments of one message from a client; each takes over 100 bytes, even when it is empty. */
export const MAX_FRAGMENTS = 64;

/**
 * One way for clients to connect. A gateway starts, watches and closes all its transports alike.
 * `Host` is the HTTP server that the transport starts on.
 */
export interface Transport<Host> {
  /** The name in facts and metrics, and in the `FrameFormat` of the transport's connections. */
  readonly name: string;
  /** Counters beside those that every transport has; none when undefined. */
  readonly counters?: readonly TransportCounter[];
  /** Serves clients on `host`. Called once, before the host listens. */
  start(host: Host): Promise<void>;
  /** Called when the number of a user's connections in the whole cluster has changed. */
  userConnectionsChanged?(userId: string, connections: number): void;
  /**
   * Stops the transport after a drain, which has closed all sessions and waited until they were
   * gone, or cut. It ends what the drain does not know: timers, and connections without a session.
   */
  close(): Promise<void>;
}

/** A number that grows while the process lives; its metric is `leque_TRANSPORT_NAME_total`. */
export interface TransportCounter {
  readonly name: string;
  readonly help: string;
  read(): number;
}

/** The parts of its node that every transport needs. */
export interface TransportContext {
  readonly nodeId: string;
  readonly writer: SocketWriter;
  readonly hub: Hub;
  readonly state: ClusterState;
  readonly verifier: TokenVerifier;
  /** Undefined where no key for grants is configured: every grant is refused. */
  readonly grants?: GrantVerifier | undefined;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  readonly origins: OriginPolicy;
  /** Paces newcomers; entered before anything is done for a new connection. */
  readonly admission: Admission;
  /** The tokens that this node has verified lately. */
  readonly knownTokens: KnownTokens;
  /** Connections whose clients have not presented a token yet, of transports where it comes later. */
  readonly joining: Joining;
  readonly addresses: AddressBook;
  readonly addressLimit: AddressLimit;
  /** Whether clients without a token are refused. A token that is presented is always verified. */
  readonly authRequired: boolean;
  /** Whether the firehose brings project events to clients that may see all projects. */
  readonly firehose: boolean;
  /** True once the node drains: new connections are refused. */
  readonly isDraining: () => boolean;
  /** True while the process can open no more sockets: new connections are refused. */
  readonly isOutOfDescriptors: () => boolean;
  readonly limits: TransportLimits;
}

export interface TransportLimits {
  readonly heartbeatIntervalMs: number;
  /** The longest time without a ping of the protocol. */
  readonly pingIntervalMs: number;
  readonly timeoutMs: number;
  /** Connections of this node, over all transports. */
  readonly maxConnections: number;
  /** Connections of one user to this node; 0 means no limit. */
  readonly maxConnectionsPerUser: number;
  readonly maxMessageBytes: number;
  /** Channels that one session may subscribe to. */
  readonly maxSubscriptions: number;
  /** Bytes queued for one connection. */
  readonly outboxMaxBytes: number;
  /** Bytes of the largest event. */
  readonly maxEventBytes: number;
  /** What one client may send. */
  readonly input: InputLimits;
  /** The pace of one client's commands. */
  readonly commands: CommandLimits;
}

/** What the input budgets of one transport's clients share. */
export function inputContext(
  transport: string,
  { clock, hub, limits }: Pick<TransportContext, 'clock' | 'hub' | 'limits'>,
): InputContext {
  const counters = hub.counters.of(transport);
  return {
    clock,
    limits: limits.input,
    onHeld() {
      counters.held += 1;
    },
  };
}

/** The sending half of a TCP socket. */
export interface SendingSocket {
  /** Bytes that wait in this process. */
  readonly writableLength: number;
  write(bytes: Buffer): unknown;
}

/** Writes finished frames to the sockets of clients. */
export interface SocketWriter {
  /** Keeps the order with what is written to the socket in other ways. Never throws. */
  write(socket: SendingSocket, bytes: Buffer): void;
}
