export { ConfigError, listOf, processSettings, readConfig } from './config.ts';
export { DrainSettings } from './drain-settings.ts';
export { type Metrics, type Operations, registerOperations } from './http/operations.ts';
export { REQUEST_LIMITS } from './http/request-limits.ts';
export { answerLogLevel, LOG_LEVEL_QUESTION, PROCESS_LOG_LEVELS } from './log-level.ts';
export {
  answerTraces,
  type Bystanders,
  type DeliveryTrace,
  TRACE_QUESTIONS,
} from './message-trace.ts';
export { type AppStatus, answerStatus, type NodeStatus, STATUS_QUESTION } from './node-status.ts';
export { type RunningServer, runProcess, StartError } from './run-process.ts';
