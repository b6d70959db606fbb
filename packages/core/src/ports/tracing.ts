import { findField } from '../publication/find-field.ts';
import type { Publication } from '../publication/publication.ts';

/** What a span of publishing is about. */
export interface Publishing {
  readonly channel: string;
  readonly type: string;
  readonly messageId: string;
}

/** From the moment in which an event was handed to the broker. */
export interface PublishSpan {
  /** W3C Trace Context; what a sampled one gives the event to carry, undefined otherwise. */
  readonly traceparent: string | undefined;
  /** @param error what it ended with, unless it was stored */
  end(error?: unknown): void;
}

/** One publication on its way to the sessions of this node. */
export interface FanOut {
  readonly channel: string;
  /** Of the publish. */
  readonly traceparent: string;
  /** Milliseconds since the Unix epoch, with fractions. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** That it was offered to. */
  readonly sessions: number;
}

/**
 * Spans for a tracing backend: one for a publish, one for each node that fans it out, none for a
 * session. Never throws, and never waits for the backend.
 */
export interface Tracing {
  /** @param parent the caller's `traceparent`, perhaps not a valid one */
  publishing(event: Publishing, parent: string | undefined): PublishSpan;
  fannedOut(fanOut: FanOut): void;
  /** Sends what it still has, for a moment. */
  close(): Promise<void>;
}

const SAMPLED = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]?[13579bdf]$/;

/** The `traceparent` that a publication carries, if its publish was sampled. */
export function sampledTraceOf({ body }: Publication): string | undefined {
  const traceparent = findField(body, 'traceparent');
  return traceparent !== undefined && SAMPLED.test(traceparent) ? traceparent : undefined;
}
