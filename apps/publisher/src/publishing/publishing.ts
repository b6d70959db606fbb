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
  eventForEach,
  FIREHOSE,
  ProtocolError,
  tryParseChannel,
  withoutTraceparent,
  withTraceparent,
} from '@leque/protocol';
import { Type } from 'typebox';
import type { PublishJournal } from '../delivery-report/publish-journal.ts';
import type { CheckedList } from './checked-lists.ts';

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
  readonly journal: PublishJournal;
  readonly telemetry: Telemetry;
  readonly tracing: Tracing | undefined;
}

/** Who publishes. */
export interface Caller {
  /** In words, for delivery reports. */
  readonly name: string;
  /** Whose idempotency keys the caller uses. */
  readonly owner: string;
  readonly grants: Grants;
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

/** Hands events to the broker, and counts the outcomes. */
export class Publishing {
  readonly #deps: PublishingDeps;
  /** Types that were reported because an event of them named nobody. */
  readonly #unaddressed = new Set<string>();

  constructor(deps: PublishingDeps) {
    this.#deps = deps;
  }

  /**
   * Stores an event, or passes it on live. The broker is called before this returns its promise, so
   * events are published in the order of the calls.
   * @throws ProtocolError `unavailable` when it was not stored, `outcome_unknown` when it may have been
   */
  async publish(given: Event, options: PublishOptions): Promise<Published> {
    const { broker } = this.#deps;
    const { event, span } = this.#trace(given, options);
    const startedAt = performance.now();
    try {
      const unknown = OUTCOME_UNKNOWN[outcomeOf(event)];
      const published = await options.deadline.settle(broker.publish(event), unknown);
      this.#stored(event, published, { caller: options.caller, startedAt });
      span?.end();
      return published;
    } catch (error) {
      span?.end(error);
      this.#failed(startedAt);
      throw error;
    }
  }

  /**
   * Stores an event in many channels, or passes it on live. One span stands for all of them.
   * @param channels those of the list's targets that are not refused
   * @returns a promise for each channel, in their order, which rejects as that of `publish`
   */
  publishToEach(
    { template, placeholder }: Pick<CheckedList, 'template' | 'placeholder'>,
    channels: readonly string[],
    options: PublishOptions,
  ): readonly Promise<Published>[] {
    const { deadline, caller } = options;
    const { event, span } = this.#trace(template, options);
    const startedAt = performance.now();
    const each = eventForEach({ template: event, placeholder }, channels);
    const storing = this.#deps.broker.publishToEach(each, deadline);
    const stored = storing.map(async (publication, index) => {
      try {
        const published = await deadline.settle(publication, OUTCOME_UNKNOWN[outcomeOf(event)]);
        const own = { ...event, channel: channels[index] ?? '' };
        this.#stored(own, published, { caller, startedAt });
        return published;
      } catch (error) {
        this.#failed(startedAt);
        throw error;
      }
    });
    Promise.all(stored).then(
      () => span?.end(),
      (error: unknown) => span?.end(error),
    );
    return stored;
  }

  /** Number of sessions in the whole cluster that receive the events of a channel. */
  async subscribers(channel: string, deadline: Deadline): Promise<number> {
    const repeated = this.#deps.firehose && tryParseChannel(channel)?.kind === 'project';
    const fed = repeated ? [channel, FIREHOSE] : [channel];
    const counts = await deadline.settle(this.#deps.state.subscribers(fed));
    return counts.reduce((sum, count) => sum + count, 0);
  }

  #trace(given: Event, { isTraceTrusted, traceparent }: PublishOptions) {
    const checked = isTraceTrusted ? given : withoutTraceparent(given);
    const parent = isTraceTrusted ? (checked.traceparent ?? traceparent) : undefined;
    const span = this.#deps.tracing?.publishing(checked, parent);
    const event =
      span?.traceparent === undefined ? checked : withTraceparent(checked, span.traceparent);
    return { event, span };
  }

  #stored(
    event: Event,
    published: Published,
    { caller, startedAt }: { readonly caller: Caller; readonly startedAt: number },
  ): void {
    const { counters, state, journal } = this.#deps;
    const tookMs = performance.now() - startedAt;
    const outcome = outcomeOf(event);
    counters.seconds[outcome].observe(tookMs / 1000);
    if (published.duplicate) {
      counters.duplicates += 1;
      return;
    }
    counters[outcome] += 1;
    state.addTotals({ broadcasts: 1 });
    journal.note(event, published, { caller: caller.name, tookMs });
    if (event.unaddressed) this.#noteUnaddressed(event, caller);
  }

  #failed(startedAt: number): void {
    const { counters } = this.#deps;
    counters.failed += 1;
    counters.seconds.failed.observe((performance.now() - startedAt) / 1000);
  }

  /** Once for each type, because the same publisher sends it again and again. */
  #noteUnaddressed({ type: eventType }: Event, { name }: Caller): void {
    if (this.#unaddressed.has(eventType) || this.#unaddressed.size >= MAX_UNADDRESSED) return;
    this.#unaddressed.add(eventType);
    this.#deps.telemetry.report({ type: 'event_unaddressed', eventType, caller: name });
  }
}

function outcomeOf({ live }: Event): 'live' | 'stored' {
  return live ? 'live' : 'stored';
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
