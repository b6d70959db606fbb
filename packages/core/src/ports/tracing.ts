import { findField } from '../publication/find-field.ts';
import type { Publication } from '../publication/publication.ts';

/** The event that a publishing span is about. */
export interface Publishing {
  readonly channel: string;
  readonly type: string;
  readonly messageId: string;
}

/** A span that starts when an event is handed to the broker. */
export interface PublishSpan {
  /** The W3C `traceparent` for the event to carry; undefined for a span that is not sampled. */
  readonly traceparent: string | undefined;
  /** @param error why the event was not stored; undefined when it was */
  end(error?: unknown): void;
}

/** One publication on its way to the sessions of this node. */
export interface FanOut {
  readonly channel: string;
  /** Context of the publishing span. */
  readonly traceparent: string;
  /** Milliseconds since the Unix epoch, with fractions. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** Number of sessions that the publication was offered to. */
  readonly sessions: number;
}

/**
 * Spans for a tracing backend: one for each publish, and one for each node that fans it out.
 * Sessions have none. Never throws, and never waits for the backend.
 */
export interface Tracing {
  /** @param parent the caller's `traceparent`, which may be invalid */
  publishing(event: Publishing, parent: string | undefined): PublishSpan;
  fannedOut(fanOut: FanOut): void;
  /** Sends the remaining spans, within a short deadline. */
  close(): Promise<void>;
}

const SAMPLED = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]?[13579bdf]$/;

/** The `traceparent` that a publication carries, if its publish was sampled. */
export function sampledTraceOf({ body }: Publication): string | undefined {
  const traceparent = findField(body, 'traceparent');
  return traceparent !== undefined && SAMPLED.test(traceparent) ? traceparent : undefined;
}
