export { Admission, AdmissionSettings } from './admission.ts';
export { bearerToken } from './bearer.ts';
export {
  type Broker,
  type BrokerReadings,
  type BrokerSink,
  type HistoryExtent,
  type HistoryPage,
  MAX_HISTORY_BYTES,
  type Published,
  toExtent,
} from './broker.ts';
export { BucketCounts } from './bucket-counts.ts';
export { ChannelRecords } from './channel-records.ts';
export { type Cancel, type Clock, every, systemClock } from './clock.ts';
export type { ClusterState, ClusterStateSink, Totals } from './cluster-state.ts';
export { CommandLimiter } from './command-limiter.ts';
export { type CommandOwner, CommandQueue } from './command-queue.ts';
export { ConcurrencyLimit, type ConcurrencyLimits } from './concurrency-limit.ts';
export { ConfigError, type ConfigRule, listOf, processSettings, readConfig } from './config.ts';
export type { Connection } from './connection.ts';
export {
  type Answerer,
  Answerers,
  CONTROL_DEADLINE_MS,
  type Control,
  type ControlAnswer,
  type ControlAnswers,
  type Json,
} from './control.ts';
export { type AuthenticationOutcomes, countedVerifier, countOutcome } from './counted-verifier.ts';
export {
  type JournalLimits,
  JournalSettings,
  journalLimits,
} from './delivery-journal.ts';
export { DrainSettings } from './drain-settings.ts';
export { FanOutCounters, type TransportCounters } from './fan-out-counters.ts';
export {
  ALL_PROJECTS,
  anonymous,
  Grants,
  type Identity,
  SCOPES,
  type Scope,
} from './grants.ts';
export {
  admitHandshake,
  type HandshakeContext,
  refuseUpgrade,
  retryAfter,
} from './handshake.ts';
export { type Beating, Heartbeats, type HeartbeatTimes } from './heartbeats.ts';
export {
  type HistoryLimit,
  type HistoryLimits,
  HistorySettings,
  historyLimits,
} from './history-settings.ts';
export { Hub, type HubPorts, type SubscribeOptions } from './hub.ts';
export type { HubLimits } from './hub-limits.ts';
export { answerLogLevel, LOG_LEVEL_QUESTION, PROCESS_LOG_LEVELS } from './log-level.ts';
export {
  answerTraces,
  type Bystanders,
  type DeliveryTrace,
  TRACE_QUESTIONS,
} from './message-trace.ts';
export { type AppStatus, answerStatus, type NodeStatus, STATUS_QUESTION } from './node-status.ts';
export {
  isLoopbackHost,
  isOriginAllowed,
  type OriginPolicy,
  OriginSettings,
} from './origin-policy.ts';
export { pacedVerifier } from './paced-verifier.ts';
export { type Frame, type FrameFormat, Publication } from './publication.ts';
export { REQUEST_LIMITS } from './request-limits.ts';
export { type RunningServer, runProcess, StartError } from './run-process.ts';
export type { Session } from './session.ts';
export { parseSlowConsumerRules, type SlowConsumerRules } from './slow-consumer-rules.ts';
export type { Filter, Outcome, Subscription } from './subscription.ts';
export type { Fact, Telemetry } from './telemetry.ts';
export type { TokenVerifier } from './token-verifier.ts';
export type { FanOut, Publishing, PublishSpan, Tracing } from './tracing.ts';
export {
  CLOSE_TIMEOUT_MS,
  COMMANDS_PER_SECOND,
  errorForClient,
  MAX_FRAGMENTS,
  outcomeOrRefusal,
  outcomesOf,
  RETURN_SPREAD_MS,
  returnHint,
  type SendingSocket,
  type SocketWriter,
  type Told,
  type TransportContext,
  type TransportLimits,
  tooManyCommands,
} from './transport.ts';
