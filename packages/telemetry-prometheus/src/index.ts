export { logFacts } from './fact-log.ts';
export {
  type MetricDescription,
  type PrometheusOptions,
  PrometheusTelemetry,
} from './prometheus-telemetry.ts';
export type { AnsweredRequest, PublishReadings } from './publisher-metrics.ts';
