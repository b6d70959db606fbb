import type { ErrorCode } from '@leque/protocol';

/** What happened, for logs and metrics. Never once per delivery, and never with a payload. */
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
  /** A library is not as it was when a shortcut around it was made, so that none is taken. */
  | { type: 'direct_path_unavailable'; detail: string }
  /** Socket.IO clients cannot come back with their state, or not to every node. */
  | { type: 'recovery_limited'; detail: string }
  | { type: 'failure'; where: string; error: unknown; requestId?: string };

/** The core does not log and knows no metrics; it reports facts. */
export interface Telemetry {
  report(fact: Fact): void;
}
