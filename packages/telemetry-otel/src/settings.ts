import { type Static, Type } from 'typebox';

/** Settings for tracing. The exporter itself reads other variables `OTEL_EXPORTER_OTLP_…`. */
export const TracingSettings = Type.Object({
  OTEL_EXPORTER_OTLP_ENDPOINT: Type.Optional(
    Type.String({
      pattern: '^https?://.+',
      description:
        'the http or https URL of a collector for spans (OTLP over HTTP, usually port 4318); without it no spans ' +
        'are made',
    }),
  ),
  OTEL_TRACES_SAMPLER_ARG: Type.Number({
    default: 0.01,
    minimum: 0,
    maximum: 1,
    description: 'share of publishes that are traced, from 0 to 1, unless the caller has decided',
  }),
});
export type TracingSettings = Static<typeof TracingSettings>;

/** The process that makes the spans. */
export interface TracedProcess {
  /** `leque-gateway`, … */
  readonly service: string;
  readonly version: string;
  readonly nodeId: string;
}
