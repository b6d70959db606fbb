import type { Broker, BucketCounts, ClusterState, Published, Tracing } from '@leque/core';
import {
  type Event,
  FIREHOSE,
  ProtocolError,
  tryParseChannel,
  tryParseEvent,
  withTraceparent,
} from '@leque/protocol';
import { RequestError } from '@leque/service';
import { Type } from 'typebox';
import type { Deadline } from './deadline.ts';
import type { PublishJournal } from './publish-journal.ts';

const MAX_KEY_LENGTH = 200;

export const PublishHeaders = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({ description: 'with the same key, an event is stored and delivered once' }),
  ),
  traceparent: Type.Optional(Type.String({ description: 'a W3C trace context to go on with' })),
});

/** Since the start of the process: plain integers, read when somebody asks. */
export interface PublishCounters {
  stored: number;
  /** Known by their idempotency key. */
  duplicates: number;
  refused: number;
  /** Not stored, or nobody knows. */
  failed: number;
  /** How long the broker took, by what became of the event. */
  readonly seconds: Readonly<Record<'stored' | 'failed', BucketCounts>>;
}

export interface PublishingParts {
  readonly broker: Broker;
  readonly state: ClusterState;
  readonly counters: PublishCounters;
  /** Whether project events reach the firehose's subscribers, too. */
  readonly firehose: boolean;
  /** Of one event, as it is stored and sent to clients. */
  readonly maxEventBytes: number;
  readonly journal: PublishJournal;
  readonly tracing: Tracing | undefined;
}

/** What publishing an event goes with. */
export interface PublishOptions {
  readonly deadline: Deadline;
  /** Who publishes, in words, for traces. */
  readonly caller: string;
  /** Of the request, as it came. */
  readonly traceparent: string | undefined;
}

/** Checks events, hands them to the broker, and counts what became of them. */
export class Publishing {
  readonly #parts: PublishingParts;

  constructor(parts: PublishingParts) {
    this.#parts = parts;
  }

  /**
   * Checks an event from outside. `key` is the idempotency key that the request as a whole has.
   * @throws RequestError that names the fields, or says that it is too large
   */
  check(input: unknown, key: string | undefined): Event {
    try {
      const event = this.#parse(withKey(input, key));
      const bytes = Buffer.byteLength(event.json);
      if (bytes <= this.#parts.maxEventBytes) return event;
      const limit = `an event has at most ${this.#parts.maxEventBytes} bytes`;
      throw new RequestError('payload_too_large', `${limit}, this one has ${bytes}`);
    } catch (error) {
      this.#parts.counters.refused += 1;
      throw error;
    }
  }

  /**
   * Stores an event; its call reaches the broker before this returns, so that events that are
   * published one after the other are stored in that order.
   * @throws ProtocolError `unavailable` when it was not stored, `outcome_unknown` when it may have been
   */
  async publish(checked: Event, options: PublishOptions): Promise<Published> {
    const { broker, state, counters, journal, tracing } = this.#parts;
    const { deadline, caller } = options;
    const startedAt = performance.now();
    const span = tracing?.publishing(checked, checked.traceparent ?? options.traceparent);
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

  /** Sessions in the whole cluster that get what the channel gets. */
  async subscribers(channel: string, deadline: Deadline): Promise<number> {
    const repeated = this.#parts.firehose && tryParseChannel(channel)?.kind === 'project';
    const fed = repeated ? [channel, FIREHOSE] : [channel];
    const counts = await deadline.settle(this.#parts.state.subscribers(fed), stateUnavailable);
    return counts.reduce((sum, count) => sum + count, 0);
  }

  #parse(input: unknown): Event {
    const parsed = tryParseEvent(input);
    if (parsed.ok) return parsed.event;
    throw RequestError.ofProblems('invalid_event', parsed.problems);
  }
}

/** The key in the `Idempotency-Key` header, for a single event or for the batch around several. */
export function keyOf(header: string | string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  const key = String(header).trim();
  if (key.length > 0 && key.length <= MAX_KEY_LENGTH) return key;
  throw RequestError.ofProblems('invalid_request', [
    { field: 'Idempotency-Key', message: `must have 1 to ${MAX_KEY_LENGTH} characters` },
  ]);
}

/** The event's own key is the more exact one, and stays. */
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

export function stateUnavailable(): Error {
  return new ProtocolError('unavailable', 'no answer in time');
}
