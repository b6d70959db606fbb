import { findField } from '../publication/find-field.ts';
import type { Publication } from '../publication/publication.ts';

/** The event whose publishing a span describes. */
export interface Publishing {
  readonly channel: string;
  readonly type: string;
  readonly messageId: string;
}

/** A span that began when an event was handed to the broker. */
export interface PublishSpan {
  /** W3C `traceparent` for the event to carry; undefined unless the span is sampled. */
  readonly traceparent: string | undefined;
  /** @param error why the event was not stored; undefined when it was */
  end(error?: unknown): void;
}

/** One publication on its way to the sessions of this node. */
export interface FanOut {
  readonly channel: string;
  /** W3C `traceparent` of the publish. */
  readonly traceparent: string;
  /** Milliseconds since the Unix epoch, with fractions. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** Sessions that the publication was offered to. */
  readonly sessions: number;
}

/**
 * Spans for a tracing backend: one for a publish, and one for each node that fans it out. There are
 * none for sessions. Never throws, and never waits for the backend.
 */
export interface Tracing {
  /** @param parent `traceparent` of the caller, unchecked */
  publishing(event: Publishing, parent: string | undefined): PublishSpan;
  fannedOut(fanOut: FanOut): void;
  /** Sends the spans that are left, and gives up after a moment. */
  close(): Promise<void>;
}

/** The fields of a W3C `traceparent`. */
export interface TraceParent {
  readonly traceId: string;
  readonly spanId: string;
  readonly isSampled: boolean;
}

/** https://www.w3.org/TR/trace-context/#traceparent-header-field-values */
const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;
const SAMPLED_FLAG = 1;

export function tryParseTraceparent(text: string | undefined): TraceParent | undefined {
  const [, traceId, spanId, flags] = TRACEPARENT.exec(text ?? '') ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & SAMPLED_FLAG) !== 0 };
}

/** The `traceparent` that a publication carries, if its publish was sampled. */
export function sampledTraceOf({ body }: Publication): string | undefined {
  const traceparent = findField(body, 'traceparent');
  return tryParseTraceparent(traceparent)?.isSampled ? traceparent : undefined;
}
