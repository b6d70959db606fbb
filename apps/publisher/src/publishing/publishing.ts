import { hash } from 'node:crypto';
import type {
  Broker,
  BucketCounts,
  ClusterState,
  Deadline,
  Grants,
  Published,
  Telemetry,
  Tracing,
} from '@leque/core';
import {
  type Event,
  FIREHOSE,
  ProtocolError,
  type SchemaPolicy,
  type SentJson,
  tryParseChannel,
  tryParseEvent,
  type UnaddressedPolicy,
  withoutTraceparent,
  withTraceparent,
} from '@leque/protocol';
import { RequestError } from '@leque/service';
import { Type } from 'typebox';
import type { PublishJournal } from '../delivery-report/publish-journal.ts';
import { isTooLong } from './event-text.ts';

const MAX_KEY_LENGTH = 200;
/** Types of events without an address that are reported. */
const MAX_UNADDRESSED = 100;

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
  /** Events that were live only. */
  live: number;
  /** Events whose idempotency key was known; they were not stored again. */
  duplicates: number;
  /** Events that were invalid, or that their caller may not publish. */
  refused: number;
  /** Events that were not stored, and events whose outcome is unknown. */
  failed: number;
  /** Seconds that the broker took, by the outcome of the event. */
  readonly seconds: Readonly<Record<'stored' | 'live' | 'failed', BucketCounts>>;
}

export interface PublishingDeps {
  readonly broker: Broker;
  readonly state: ClusterState;
  readonly counters: PublishCounters;
  /** Whether project events also reach the subscribers of the firehose. */
  readonly firehose: boolean;
  /** Largest size of one event, as it is stored and sent to clients. */
  readonly maxEventBytes: number;
  /** What becomes of an event whose `data` does not fit the schema of its type. */
  readonly schemas: SchemaPolicy;
  readonly journal: PublishJournal;
  readonly telemetry: Telemetry;
  readonly tracing: Tracing | undefined;
}

/** Who publishes. */
interface Caller {
  /** In words, for delivery reports. */
  readonly name: string;
  /** Whose idempotency keys the caller uses. */
  readonly owner: string;
  readonly grants: Grants;
}

/** The key and the rights against which an event is checked. */
export interface CheckOptions {
  /** Idempotency key of the request as a whole; the event's own key comes first. */
  readonly key: string | undefined;
  readonly caller: Caller;
  /** What happens to an event that names nobody. */
  readonly unaddressed: UnaddressedPolicy;
}

/** The request that an event belongs to. */
export interface PublishOptions {
  readonly deadline: Deadline;
  readonly caller: Caller;
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
  /** Types that were reported because an event of them named nobody. */
  readonly #unaddressed = new Set<string>();

  constructor(deps: PublishingDeps) {
    this.#deps = deps;
  }

  /**
   * Checks an event from outside.
   * @param text JSON of the event as it was sent; a text that is too long is refused unparsed
   * @throws RequestError `invalid_json`, `invalid_event` that names the fields, `payload_too_large`;
   *   ProtocolError `forbidden` for a channel that the caller may not publish to
   */
  check(text: string, options: CheckOptions): Event {
    const { maxEventBytes } = this.#deps;
    try {
      if (isTooLong(text, maxEventBytes)) throw tooLarge(maxEventBytes, 'more');
      const event = this.#parse({ text, parsed: parseJson(text) }, options);
      assertMayPublish(options.caller, event);
      const bytes = Buffer.byteLength(event.json);
      if (bytes <= maxEventBytes) return withOwnedKey(event, options.caller);
      throw tooLarge(maxEventBytes, bytes);
    } catch (error) {
      this.#deps.counters.refused += 1;
      throw error;
    }
  }

  /**
   * Stores an event, or passes it on live. The broker is called before this returns its promise, so
   * events are published in the order of the calls.
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
    const outcome = event.live ? 'live' : 'stored';
    try {
      const published = await deadline.settle(broker.publish(event), OUTCOME_UNKNOWN[outcome]);
      const tookMs = performance.now() - startedAt;
      counters.seconds[outcome].observe(tookMs / 1000);
      if (published.duplicate) counters.duplicates += 1;
      else {
        counters[outcome] += 1;
        state.addTotals({ broadcasts: 1 });
        journal.note(event, published, { caller: caller.name, tookMs });
        if (event.unaddressed) this.#noteUnaddressed(event, caller);
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

  /** Once for each type, because the same publisher sends it again and again. */
  #noteUnaddressed({ type: eventType }: Event, { name }: Caller): void {
    if (this.#unaddressed.has(eventType) || this.#unaddressed.size >= MAX_UNADDRESSED) return;
    this.#unaddressed.add(eventType);
    this.#deps.telemetry.report({ type: 'event_unaddressed', eventType, caller: name });
  }

  #parse(json: SentJson, { key, unaddressed }: CheckOptions): Event {
    const rules = { unaddressed, schemas: this.#deps.schemas };
    const read = tryParseEvent(withKey(json.parsed, key), rules, json);
    if (read.ok) return read.event;
    throw RequestError.ofProblems('invalid_event', read.problems);
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

/** @throws ProtocolError `forbidden` that names the channel */
function assertMayPublish({ grants }: Caller, { channel }: Event): void {
  if (grants.mayPublish(channel)) return;
  const message = `this token does not allow publishing to ${channel}; the scope publish:all does`;
  throw new ProtocolError('forbidden', message);
}

/** Keeps the keys of callers apart, so that no caller gets the result of another. */
function withOwnedKey(event: Event, { owner }: Caller): Event {
  const { idempotencyKey: key } = event;
  if (key === undefined) return event;
  return { ...event, idempotencyKey: hash('sha256', `${owner}\n${key}`, 'base64url') };
}

function tooLarge(maxEventBytes: number, bytes: number | 'more'): RequestError {
  const limit = `an event has at most ${maxEventBytes} bytes (MAX_EVENT_SIZE)`;
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

/**
 * An event's own key takes precedence over the key of the request, which is for events that are stored.
 */
function withKey(input: unknown, key: string | undefined): unknown {
  if (key === undefined || typeof input !== 'object' || input === null) return input;
  const { idempotency_key: own, live } = input as Readonly<Record<string, unknown>>;
  if (Array.isArray(input) || live === true || (own ?? undefined) !== undefined) return input;
  return { ...input, idempotency_key: key };
}

/** Makes the error of an event whose answer did not come in time. */
const OUTCOME_UNKNOWN = {
  stored: () =>
    new ProtocolError(
      'outcome_unknown',
      'no answer in time: the event may be stored or not; publish it again with the same idempotency key',
    ),
  live: () =>
    new ProtocolError(
      'outcome_unknown',
      'no answer in time: the event may have been delivered or not, and would come twice if it is sent again',
    ),
};
