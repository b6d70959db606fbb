import { ProtocolError } from '@leque/protocol';
import type { OriginPolicy } from '../access/origin-policy.ts';
import type { Hub } from '../fan-out/hub.ts';
import type { Clock } from '../lib/clock.ts';
import type { ClusterState } from '../ports/cluster-state.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { TokenVerifier } from '../ports/token-verifier.ts';
import type { Admission } from './admission.ts';

/** Commands that one connection may give in a second. */
export const COMMANDS_PER_SECOND = 50;
/** A client that has not taken the rest when it is closed is cut after this long. */
export const CLOSE_TIMEOUT_MS = 3000;
/** Of one message from a client: each takes a hundred bytes and more, however little it carries. */
export const MAX_FRAGMENTS = 64;

/** Clients that are moved away one after the other spread their return over this time. */
export const RETURN_SPREAD_MS = 1000;

/**
 * The reason of a close with 1012: after how many milliseconds the client should come back.
 * @param spreadMs over which time those who are told now come back
 */
export function returnHint(spreadMs: number): string {
  return String(Math.floor(Math.random() * spreadMs));
}

/** The sending half of a TCP socket. */
export interface SendingSocket {
  /** Bytes that wait in this process. */
  readonly writableLength: number;
  write(bytes: Buffer): unknown;
}

/** Writes finished frames to the sockets of clients. */
export interface SocketWriter {
  /** In order with what is written to the socket in other ways. Never throws. */
  write(socket: SendingSocket, bytes: Buffer): void;
}

/** What every transport needs of its node. */
export interface TransportContext {
  readonly writer: SocketWriter;
  readonly hub: Hub;
  readonly state: ClusterState;
  readonly verifier: TokenVerifier;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  readonly origins: OriginPolicy;
  /** Before everything that is done for a new connection. */
  readonly admission: Admission;
  /** True once the node drains: no new connections. */
  readonly isDraining: () => boolean;
  readonly limits: TransportLimits;
}

export interface TransportLimits {
  readonly heartbeatIntervalMs: number;
  readonly timeoutMs: number;
  /** On this node, whatever their transport. */
  readonly maxConnections: number;
  readonly maxMessageBytes: number;
  /** Channels that one session may subscribe to. */
  readonly maxSubscriptions: number;
  /** Queued for one connection. */
  readonly outboxMaxBytes: number;
}

/** The answer to a client that gives too many commands. */
export function tooManyCommands(): ProtocolError {
  const problem = `more than ${COMMANDS_PER_SECOND} commands in a second`;
  return new ProtocolError('rate_limited', problem);
}

/** What a client may know of an error: a bug is reported, and is nothing but `internal` to it. */
export function errorForClient(error: unknown, where: string, telemetry: Telemetry): ProtocolError {
  if (error instanceof ProtocolError) return error;
  telemetry.report({ type: 'failure', where, error });
  return new ProtocolError('internal', 'internal error');
}

/** What a client is told of a channel: where it stands when it is told. */
export interface Told {
  readonly outcome: object;
}

/**
 * What the client is told of one channel of several: that it failed is an outcome, too, so that
 * none flows before all are through (GAP). One that flowed already goes on meanwhile, so outcomes
 * are read when the answer is made.
 */
export async function outcomeOrRefusal(
  telemetry: Telemetry,
  attempt: () => Promise<Told>,
): Promise<Told> {
  try {
    return await attempt();
  } catch (error) {
    const { code, message } = errorForClient(error, 'resume', telemetry);
    return { outcome: { recovered: false, code, message } };
  }
}

/** The outcomes of several channels, now. */
export function outcomesOf(told: Iterable<readonly [channel: string, Told]>): object {
  return Object.fromEntries([...told].map(([channel, { outcome }]) => [channel, outcome]));
}
