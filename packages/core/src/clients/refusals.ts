import { CLOSE, type CloseCode, ProtocolError } from '@leque/protocol';
import type { Identity } from '../access/grants.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { TransportContext } from './transport.ts';

/** Clients that are moved away one after the other spread their return over this time. */
export const RETURN_SPREAD_MS = 1000;

/**
 * The reason of a close with 1012: the milliseconds after which the client should come back.
 * @param spreadMs the time over which the clients that are moved now come back
 */
export function returnHint(spreadMs: number): string {
  return String(Math.floor(Math.random() * spreadMs));
}

/**
 * Checks that the node takes new connections. Call it when a session is about to be opened: an
 * earlier answer may be outdated, because verifying a token takes time.
 * @throws ProtocolError `draining`, or `unavailable` for a full node
 */
export function assertAccepting({
  hub,
  limits,
  isDraining,
  isOutOfDescriptors,
}: Pick<TransportContext, 'hub' | 'limits' | 'isDraining' | 'isOutOfDescriptors'>): void {
  if (isDraining()) throw new ProtocolError('draining', 'this node is being replaced');
  if (isOutOfDescriptors()) {
    throw new ProtocolError('unavailable', 'this node has no file descriptors left');
  }
  if (hub.sessions.size < limits.maxConnections) return;
  throw new ProtocolError('unavailable', 'this node is full');
}

/**
 * Checks that the client's user may open one more connection to this node.
 * @throws ProtocolError `too_many_connections`
 */
export function assertRoomForUser(
  { userId }: Pick<Identity, 'userId'>,
  { hub, limits: { maxConnectionsPerUser: max } }: Pick<TransportContext, 'hub' | 'limits'>,
): void {
  if (userId === undefined || max === 0 || hub.connectionsOf(userId) < max) return;
  const detail = `this user has ${max} connections to this node already`;
  throw new ProtocolError('too_many_connections', detail);
}

/**
 * Close codes for what a client has sent: nothing more is read from it. A slow consumer is not one:
 * its close frame stands behind megabytes, and only its answer shows that it has read them.
 */
const VERDICTS: ReadonlySet<CloseCode> = new Set([
  CLOSE.unsupportedData,
  CLOSE.policyViolation,
  CLOSE.forbidden,
  CLOSE.tooManyCommands,
]);

/** Whether a client that is closed with this code is not read from any more. */
export function isVerdict(code: CloseCode): boolean {
  return VERDICTS.has(code);
}

/** Reports that a client was not let in. */
export function reportRefusal(telemetry: Telemetry, transport: string, error: ProtocolError): void {
  const { code, message: detail } = error;
  telemetry.report({ type: 'connection_refused', transport, code, detail });
}

export interface FailedOperation {
  readonly where: string;
  readonly error: unknown;
  readonly requestId?: string;
}

/** Reports the cause of an `unavailable`, which is not for the client; other errors are ignored. */
export function reportUnavailable(telemetry: Telemetry, operation: FailedOperation): void {
  const { error } = operation;
  if (!(error instanceof ProtocolError) || error.cause === undefined) return;
  if (error.code !== 'unavailable' && error.code !== 'outcome_unknown') return;
  telemetry.report({ type: 'unavailable', ...operation, error: error.cause });
}

/** Reduces an error to what a client may know: a bug is reported, and shown as `internal` only. */
export function errorForClient(error: unknown, where: string, telemetry: Telemetry): ProtocolError {
  if (error instanceof ProtocolError) {
    reportUnavailable(telemetry, { where, error });
    return error;
  }
  telemetry.report({ type: 'failure', where, error });
  return new ProtocolError('internal', 'internal error');
}
