import {
  type FanOut,
  PlainError,
  type Publishing,
  type PublishSpan,
  type Tracing,
  tryParseTraceparent,
  withDeadline,
} from '@leque/core';
import {
  type Context,
  isSpanContextValid,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { TracedProcess } from './settings.ts';

const EXPORT_TIMEOUT_MS = 5_000;
/** Spans that wait for the collector; more are dropped. */
const MAX_QUEUED = 2_048;
/** Time that the end of the process waits for the collector. */
const CLOSE_TIMEOUT_MS = 2_000;
/** https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/ */
const SYSTEM = { 'messaging.system': 'leque' };
/** OpenTelemetry treats empty ids as invalid. */
const NO_PARENT = { traceId: '', spanId: '', isSampled: false };

export interface OtelOptions extends TracedProcess {
  readonly endpoint: string;
  readonly ratio: number;
}

/** Sends spans in batches in the background, so that nothing waits for the collector. */
export class OtelTracing implements Tracing {
  readonly #provider: TracerProvider;
  readonly #tracer: Tracer;

  constructor({ endpoint, ratio, service, version, nodeId }: OtelOptions) {
    const url = `${endpoint.replace(/\/$/, '')}/v1/traces`;
    this.#provider = new TracerProvider({
      resource: resourceFromAttributes({
        'service.name': service,
        'service.version': version,
        'service.instance.id': nodeId,
      }),
      sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) }),
      spanProcessors: [
        new BatchSpanProcessor({
          exporter: new OTLPTraceExporter({ url, timeoutMillis: EXPORT_TIMEOUT_MS }),
          maxQueueSize: MAX_QUEUED,
        }),
      ],
    });
    this.#tracer = this.#provider.getTracer('leque', version);
  }

  publishing({ channel, type, messageId }: Publishing, parent: string | undefined): PublishSpan {
    const options = {
      kind: SpanKind.PRODUCER,
      attributes: {
        ...SYSTEM,
        'messaging.operation.name': 'publish',
        'messaging.destination.name': channel,
        'messaging.message.id': messageId,
        'leque.event.type': type,
      },
    };
    const span = this.#tracer.startSpan('leque publish', options, contextOf(parent));
    return {
      traceparent: span.isRecording() ? traceparentOf(span.spanContext()) : undefined,
      end: (error) => endSpan(span, error),
    };
  }

  /** The span is a child of the publish and linked to it, because many nodes consume one publish. */
  fannedOut({ channel, traceparent, startedAt, endedAt, sessions }: FanOut): void {
    const context = contextOf(traceparent);
    const publish = trace.getSpanContext(context);
    const span = this.#tracer.startSpan(
      'leque fan out',
      {
        kind: SpanKind.CONSUMER,
        startTime: startedAt,
        attributes: {
          ...SYSTEM,
          'messaging.operation.name': 'fan_out',
          'messaging.destination.name': channel,
          'leque.sessions': sessions,
        },
        ...(publish !== undefined && { links: [{ context: publish }] }),
      },
      context,
    );
    span.end(endedAt);
  }

  async close(): Promise<void> {
    await withDeadline(this.#provider.shutdown(), CLOSE_TIMEOUT_MS, 'sending spans').catch(
      () => {},
    );
  }
}

function endSpan(span: Span, error: unknown): void {
  if (error !== undefined) {
    span.setStatus({ code: SpanStatusCode.ERROR, message: PlainError.of(error).message });
  }
  span.end();
}

/** A context without a parent where there is no valid one. */
function contextOf(traceparent: string | undefined): Context {
  const { traceId, spanId, isSampled } = tryParseTraceparent(traceparent) ?? NO_PARENT;
  const traceFlags = isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE;
  const parent: SpanContext = { traceId, spanId, traceFlags, isRemote: true };
  return isSpanContextValid(parent) ? trace.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT;
}

function traceparentOf({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
}
