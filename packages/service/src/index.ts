export { ConfigError, listOf, readConfig } from './config.ts';
export { DrainSettings, stopTimeoutMs } from './drain-settings.ts';
export { isFailure, ProblemDocument, problemOf, RequestError } from './http/problem.ts';
export { registerNotFound, registerProblems, sendProblem } from './http/problem-answers.ts';
export { REQUEST_LIMITS } from './http/request-limits.ts';
export { SERVER_OPTIONS } from './http/server-options.ts';
export { LOG_LEVEL_QUESTION, PROCESS_LOG_LEVELS } from './log-level.ts';
export {
  type Bystanders,
  type DeliveryTrace,
  registerTraces,
  TRACE_QUESTIONS,
} from './message-trace.ts';
export { type AppStatus, type NodeStatus, STATUS_QUESTION } from './node-status.ts';
export { processSettings } from './process-settings.ts';
export { type RunningServer, runProcess, StartError } from './run-process.ts';
export { type Backend, type Role, type ServiceContext, startService } from './start-service.ts';
