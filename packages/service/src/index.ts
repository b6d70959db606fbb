export { isFailure, problemOf, RequestError } from './answers/problem.ts';
export { registerProblems, sendProblem } from './answers/problem-answers.ts';
export { registerNotFound } from './answers/unknown-paths.ts';
export { AddressSettings, addressRule, ClientAddresses } from './client-addresses.ts';
export { ConfigError, listOf, readConfig } from './config.ts';
export { BYSTANDERS, DELIVERIES, registerDeliveryReports } from './delivery-report.ts';
export { tooFewOpenFiles } from './descriptors/open-files.ts';
export { withoutBase } from './http/base-path.ts';
export { createExtraServer, type MainServer } from './http/extra-server.ts';
export { LISTEN_BACKLOG } from './http/request-limits.ts';
export { SERVER_OPTIONS } from './http/server-options.ts';
export { closeAfterUnreadBodies } from './http/unread-bodies.ts';
export { LOG_LEVEL } from './log-level.ts';
export { NODE_STATUS } from './node-status.ts';
export { type RunningServer, runProcess } from './run-process.ts';
export { SECRET_VARIABLES } from './secret-files.ts';
export { DrainSettings, processSettings, stopTimeoutMs, UNBRACKETED } from './settings.ts';
export { BrokerRefusedError, busyPort, StartError } from './start-errors.ts';
export {
  type Backend,
  type Role,
  type ServiceContext,
  type ServiceSettings,
  startService,
} from './start-service.ts';
export { watchStopRequests } from './stop-requests.ts';
