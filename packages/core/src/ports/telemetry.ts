import type { ErrorCode } from '@leque/protocol';

/**
 * An event for logs and metrics. Facts are never reported per delivery, and never carry a payload.
 */
export type Fact =
  | { type: 'session_opened'; transport: string; sessionId: string; userId: string | undefined }
  | { type: 'session_closed'; transport: string; sessionId: string; code: number; reason: string }
  | { type: 'connection_refused'; transport: string; code: ErrorCode; detail: string }
  | { type: 'command_refused'; transport: string; code: ErrorCode }
  | { type: 'slow_consumer'; sessionId: string; queuedBytes: number }
  | { type: 'event_dropped'; channel: string; detail: string }
  | { type: 'gap_filled'; channel: string; publications: number }
  | { type: 'resync'; channel: string }
  | { type: 'broker_connected' }
  | { type: 'broker_disconnected'; detail: string }
  | { type: 'lease_lost' }
  /** A shortcut past a library is not used, because the library's internals have changed. */
  | { type: 'direct_path_unavailable'; detail: string }
  /** Socket.IO's connection state recovery does not work, or not across nodes. */
  | { type: 'recovery_limited'; detail: string }
  | { type: 'failure'; where: string; error: unknown; requestId?: string };

/** Turns facts into logs and metrics; the core has neither. */
export interface Telemetry {
  report(fact: Fact): void;
}
