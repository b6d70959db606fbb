import { type Static, Type } from 'typebox';

/** Part of each app's configuration; other `OTEL_EXPORTER_OTLP_…` are read by the exporter itself. */
export const TracingSettings = Type.Object({
  OTEL_EXPORTER_OTLP_ENDPOINT: Type.Optional(
    Type.String({
      pattern: '^https?://.+',
      description:
        'the URL of a collector (OTLP over HTTP, usually port 4318) that spans are sent to; none ' +
        'are made without it',
    }),
  ),
  OTEL_TRACES_SAMPLER_ARG: Type.Number({
    default: 0.01,
    minimum: 0,
    maximum: 1,
    description: 'the part of publishes that are traced, unless their caller has decided',
  }),
});
export type TracingSettings = Static<typeof TracingSettings>;

/** Whose spans they are. */
export interface TracedProcess {
  /** `leque-gateway`, … */
  readonly service: string;
  readonly version: string;
  readonly nodeId: string;
}
