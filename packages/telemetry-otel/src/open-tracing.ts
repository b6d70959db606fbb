import type { Tracing } from '@leque/core';
import type { TracedProcess, TracingSettings } from './settings.ts';

/** Undefined without a collector. The libraries are loaded only when there is one. */
export async function openTracing(
  settings: TracingSettings,
  process: TracedProcess,
): Promise<Tracing | undefined> {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_TRACES_SAMPLER_ARG: ratio } = settings;
  if (endpoint === undefined) return undefined;
  const { OtelTracing } = await import('./otel-tracing.ts');
  return new OtelTracing({ endpoint, ratio, ...process });
}
