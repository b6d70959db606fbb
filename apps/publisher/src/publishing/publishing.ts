import type { Broker, BucketCounts, ClusterState, Deadline, Published, Tracing } from '@leque/core';
import {
  type Event,
  FIREHOSE,
  ProtocolError,
  tryParseChannel,
  tryParseEvent,
  withoutTraceparent,
  withTraceparent,
} from '@leque/protocol';
import { RequestError } from '@leque/service';
import { Type } from 'typebox';
import type { PublishJournal } from '../delivery-report/publish-journal.ts';
import { isTooLong } from './event-text.ts';

const MAX_KEY_LENGTH = 200;

export const PublishHeaders = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({ description: 'events with the same key are stored and delivered once' }),
  ),
  traceparent: Type.Optional(
    Type.String({ description: 'W3C trace context of the caller, whose trace the publish joins' }),
  ),
});

/** Events since the start of the process, as plain integers that metrics read. */
export interface PublishCounters {
  stored: number;
  /** Events whose idempotency key was known; they were not stored again. */
  duplicates: number;
  /** Events that were invalid. */
  refused: number;
  /** Events that were not stored, and events whose outcome is unknown. */
  failed: number;
  /** Seconds that the broker took, by the outcome of the event. */
  readonly seconds: Readonly<Record<'stored' | 'failed', BucketCounts>>;
}

export interface PublishingDeps {
  readonly broker: Broker;
  readonly state: ClusterState;
  readonly counters: PublishCounters;
  /** Whether project events also reach the subscribers of the firehose. */
  readonly firehose: boolean;
  /** Largest size of one event, as it is stored and sent to clients. */
  readonly maxEventBytes: number;
  readonly journal: PublishJournal;
  readonly tracing: Tracing | undefined;
}

/** The request that an event belongs to. */
export interface PublishOptions {
  readonly deadline: Deadline;
  /** Who publishes, in words, for delivery reports. */
  readonly caller: string;
  /** Trace context of the request, unchecked. */
  readonly traceparent: string | undefined;
  /**
   * Whether to continue the trace of the request or the event. Otherwise the publish begins a trace
   * of its own, and the caller decides neither what is sampled nor what clients get as the trace.
   */
  readonly isTraceTrusted: boolean;
}

/** Checks events, hands them to the broker, and counts the outcomes. */
export class Publishing {
  readonly #deps: PublishingDeps;

  constructor(deps: PublishingDeps) {
    this.#deps = deps;
  }

  /**
   * Checks an event from outside.
   * @param text JSON of the event as it was sent; a text that is too long is refused unparsed
   * @param key idempotency key of the request as a whole; the event's own key comes first
   * @throws RequestError `invalid_json`, `invalid_event` that names the fields, `payload_too_large`
   */
  check(text: string, key: string | undefined): Event {
    const { maxEventBytes } = this.#deps;
    try {
      if (isTooLong(text, maxEventBytes)) throw tooLarge(maxEventBytes, 'more');
      const event = this.#parse(withKey(parseJson(text), key), text);
      const bytes = Buffer.byteLength(event.json);
      if (bytes <= maxEventBytes) return event;
      throw tooLarge(maxEventBytes, bytes);
    } catch (error) {
      this.#deps.counters.refused += 1;
      throw error;
    }
  }

  /**
   * Stores an event. The broker is called before this returns its promise, so events are stored in
   * the order of the calls.
   * @throws ProtocolError `unavailable` when it was not stored, `outcome_unknown` when it may have been
   */
  async publish(given: Event, options: PublishOptions): Promise<Published> {
    const { broker, state, counters, journal, tracing } = this.#deps;
    const { deadline, caller, isTraceTrusted } = options;
    const checked = isTraceTrusted ? given : withoutTraceparent(given);
    const parent = isTraceTrusted ? (checked.traceparent ?? options.traceparent) : undefined;
    const startedAt = performance.now();
    const span = tracing?.publishing(checked, parent);
    const event =
      span?.traceparent === undefined ? checked : withTraceparent(checked, span.traceparent);
    try {
      const published = await deadline.settle(broker.publish(event), outcomeUnknown);
      const tookMs = performance.now() - startedAt;
      counters.seconds.stored.observe(tookMs / 1000);
      if (published.duplicate) counters.duplicates += 1;
      else {
        counters.stored += 1;
        state.addTotals({ broadcasts: 1 });
        journal.note(event, published, { caller, tookMs });
      }
      span?.end();
      return published;
    } catch (error) {
      span?.end(error);
      counters.failed += 1;
      counters.seconds.failed.observe((performance.now() - startedAt) / 1000);
      throw error;
    }
  }

  /** Number of sessions in the whole cluster that receive the events of a channel. */
  async subscribers(channel: string, deadline: Deadline): Promise<number> {
    const repeated = this.#deps.firehose && tryParseChannel(channel)?.kind === 'project';
    const fed = repeated ? [channel, FIREHOSE] : [channel];
    const counts = await deadline.settle(this.#deps.state.subscribers(fed));
    return counts.reduce((sum, count) => sum + count, 0);
  }

  #parse(input: unknown, text: string): Event {
    const parsed = tryParseEvent(input, 'all', text);
    if (parsed.ok) return parsed.event;
    throw RequestError.ofProblems('invalid_event', parsed.problems);
  }
}

/**
 * Reads the `Idempotency-Key` header of a single event or of a batch.
 * @throws RequestError `invalid_request` for a key that is too short or too long
 */
export function keyOf(header: string | string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  const key = String(header).trim();
  if (key.length > 0 && key.length <= MAX_KEY_LENGTH) return key;
  throw RequestError.ofProblems('invalid_request', [
    { field: 'Idempotency-Key', message: `must have 1 to ${MAX_KEY_LENGTH} characters` },
  ]);
}

function tooLarge(maxEventBytes: number, bytes: number | 'more'): RequestError {
  const limit = `an event has at most ${maxEventBytes} bytes`;
  return new RequestError('payload_too_large', `${limit}, this one has ${bytes}`);
}

function parseJson(text: string): unknown {
  if (text === '') throw new RequestError('invalid_json', 'the body is empty');
  try {
    return JSON.parse(text);
  } catch {
    throw new RequestError('invalid_json', 'the text of the event is not JSON');
  }
}

/** An event's own key takes precedence over the key of the request. */
function withKey(input: unknown, key: string | undefined): unknown {
  if (key === undefined || typeof input !== 'object' || input === null) return input;
  const own = (input as { readonly idempotency_key?: unknown }).idempotency_key ?? undefined;
  return Array.isArray(input) || own !== undefined ? input : { ...input, idempotency_key: key };
}

function outcomeUnknown(): Error {
  return new ProtocolError(
    'outcome_unknown',
    'no answer in time: the event may be stored or not; publish it again with the same idempotency key',
  );
}
