export { logFacts } from './fact-log.ts';
export { type Metrics, type Operations, registerOperations } from './operations.ts';
export {
  type PrometheusOptions,
  PrometheusTelemetry,
  type PublishReadings,
} from './prometheus-telemetry.ts';
