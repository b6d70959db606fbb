export { openTracing } from './open-tracing.ts';
export { type TracedProcess, TracingSettings } from './settings.ts';
