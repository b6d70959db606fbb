import type { ErrorCode } from '@leque/protocol';

/** A fact for logs and metrics. No fact is reported per delivery, and none contains a payload. */
export type Fact =
  | { type: 'session_opened'; transport: string; sessionId: string; userId: string | undefined }
  | { type: 'session_closed'; transport: string; sessionId: string; code: number; reason: string }
  | { type: 'connection_refused'; transport: string; code: ErrorCode; detail: string }
  | { type: 'command_refused'; transport: string; code: ErrorCode }
  /** A request that was refused before it was one: malformed, late, or with too large a head. */
  | { type: 'request_broken'; status: number }
  | { type: 'slow_consumer'; sessionId: string; queuedBytes: number }
  | { type: 'event_dropped'; channel: string; detail: string }
  /** An event of this type named nobody and went to everybody; reported once for each type. */
  | { type: 'event_unaddressed'; eventType: string; caller: string }
  /** An event by PUBLISH does not fit the schema of its type; reported once for each type. */
  | { type: 'event_misfit'; eventType: string; detail: string }
  | { type: 'gap_filled'; channel: string; publications: number }
  | { type: 'resync'; channel: string }
  | { type: 'broker_connected' }
  | { type: 'broker_disconnected'; detail: string }
  /** The process has turned away new traffic, or does so for another reason than before. */
  | { type: 'not_ready'; detail: string }
  /** The broker answers that it does not serve now; reported once until `broker_serving`. */
  | { type: 'broker_refused'; detail: string }
  /** The broker has refused nothing for a while. */
  | { type: 'broker_serving' }
  | { type: 'lease_lost' }
  /** The process can open no more files and sockets. */
  | { type: 'descriptors_exhausted'; detail: string }
  | { type: 'descriptors_available' }
  /** A part of this process, for example `socketio_recovery`, works with less than it could. */
  | { type: 'degraded'; part: string; detail: string }
  /** The broker is away or refuses, and the caller was asked to try again; `error` says why. */
  | { type: 'unavailable'; where: string; error: unknown; requestId?: string }
  | { type: 'failure'; where: string; error: unknown; requestId?: string };

/** Receives facts. The core itself neither logs nor counts. */
export interface Telemetry {
  report(fact: Fact): void;
}
