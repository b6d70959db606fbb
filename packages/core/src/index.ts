// Grouped by room; README.md says what lives in each.

// access: who may connect, and who may receive from which channel
export { bearerToken } from './access/bearer.ts';
export {
  ALL_PROJECTS,
  anonymous,
  Grants,
  type Identity,
  SCOPES,
  type Scope,
} from './access/grants.ts';
export {
  isLoopbackHost,
  isOriginAllowed,
  type OriginPolicy,
  OriginSettings,
  type OriginVariables,
  originPolicyOf,
  originRule,
} from './access/origin-policy.ts';
export type { RoomGrant } from './access/room-grants.ts';
// admission: the pace, the lines and the limits of new connections
export { type AddressBook, AddressLimit, type LeaveAddress } from './admission/address-limit.ts';
export { Admission, AdmissionSettings } from './admission/admission.ts';
export { type JoinFailure, Joining } from './admission/joining.ts';
export { KnownTokens } from './admission/known-tokens.ts';
export { pacedGrantVerifier } from './admission/paced-grant-verifier.ts';
export { pacedVerifier } from './admission/paced-verifier.ts';
// clients: the contract with clients, whatever their transport
export {
  assertGrantsSuffice,
  assertHostAllowed,
  assertOriginAllowed,
  authorize,
} from './clients/authorize.ts';
export {
  ClientSession,
  type CommandHandler,
  isoExpiry,
  type Presented,
} from './clients/client-session.ts';
export { type CommandLimits, CommandSettings } from './clients/command-pace.ts';
export {
  type AuthenticationOutcomes,
  countedGrantVerifier,
  countedVerifier,
  countOutcome,
} from './clients/counted-verifier.ts';
export {
  type Endpoint,
  grantedProjectsEndpoint,
  logsEndpoint,
  notificationsEndpoint,
  projectEndpoint,
  selectedProjectsEndpoint,
} from './clients/endpoint.ts';
export { EndpointFeed } from './clients/endpoint-feed.ts';
export {
  admitHandshake,
  type Handshake,
  refuseUpgrade,
  retryAfter,
} from './clients/handshake.ts';
export { type HeartbeatState, Heartbeats, type HeartbeatTimes } from './clients/heartbeats.ts';
export { outcomesByGrants, type RefusedGrants, refusedFields } from './clients/held-grants.ts';
export {
  assertAccepting,
  assertRoomForUser,
  errorForClient,
  isVerdict,
  RETURN_SPREAD_MS,
  reportRefusal,
  reportUnavailable,
  returnHint,
} from './clients/refusals.ts';
export {
  announceCaughtUp,
  type EndedForReason,
  endFields,
  outcomesOf,
  type ResumeResults,
  resumeChannels,
  returnFields,
  standingOf,
} from './clients/resume-results.ts';
export {
  CLOSE_TIMEOUT_MS,
  inputContext,
  JOIN_DEADLINE_MS,
  MAX_FRAGMENTS,
  type SendingSocket,
  type SocketWriter,
  type Transport,
  type TransportContext,
  type TransportCounter,
  type TransportLimits,
} from './clients/transport.ts';
// fan-out: sessions, subscriptions, and how publications reach them
export { Hub, type SubscribeOptions } from './fan-out/hub.ts';
export type { HubOptions } from './fan-out/hub-options.ts';
export type { Session } from './fan-out/session.ts';
export { parseSlowConsumerRules } from './fan-out/slow-consumer-rules.ts';
export type { Filter } from './fan-out/subscriber.ts';
export type { Subscription } from './fan-out/subscription.ts';
// input: budgets of what clients send
export {
  type EndingSocket,
  FrameGate,
  type GatedSocket,
} from './input/frame-gate.ts';
export {
  type FrameParser,
  guardParser,
  type ParserGuard,
  parseFrames,
} from './input/guarded-parser.ts';
export {
  HOLD_STEP_MS,
  InputBudget,
  type InputContext,
  type InputLimits,
  InputSettings,
} from './input/input-budget.ts';
// journal: what became of publications on this node
export type { JournalOptions } from './journal/channel-records.ts';
export {
  type DeliveryRecord,
  JournalSettings,
  journalOptions,
} from './journal/delivery-journal.ts';
// lib: clocks, limits and collections
export { BucketCounts } from './lib/bucket-counts.ts';
export { type Cancel, type Clock, every, systemClock } from './lib/clock.ts';
export { ConcurrencyLimit } from './lib/concurrency-limit.ts';
export type { ConfigRule } from './lib/config-rule.ts';
export { Deadline, Pause, withDeadline } from './lib/deadline.ts';
export { inert } from './lib/inert.ts';
export { loggable, PlainError } from './lib/plain-error.ts';
export { residentBytes } from './lib/resident-memory.ts';
export { SteadyClock, type SteadyClockDeps } from './lib/steady-clock.ts';
// ports: the interfaces that drivers implement
export {
  type Broker,
  type BrokerReadings,
  type BrokerSink,
  type HistoryExtent,
  type HistoryPage,
  MAX_HISTORY_BYTES,
  type Published,
} from './ports/broker.ts';
export type { ClusterState, ClusterStateSink, Totals } from './ports/cluster-state.ts';
export type { Connection } from './ports/connection.ts';
export {
  CONTROL_DEADLINE_MS,
  type Control,
  type ControlAnswer,
  type ControlAnswers,
  type ControlHandler,
  ControlHandlers,
  type ControlKind,
  controlKind,
  wellFormedAnswers,
} from './ports/control.ts';
export { type EventOptions, EventSettings, eventOptions } from './ports/event-settings.ts';
export type { GrantSigner } from './ports/grant-signer.ts';
export type { GrantVerifier } from './ports/grant-verifier.ts';
export {
  type HistoryLimit,
  type HistoryOptions,
  HistorySettings,
  historyLimitOf,
  historyOptions,
  historyRule,
} from './ports/history-settings.ts';
export type { Fact, Telemetry } from './ports/telemetry.ts';
export type { TokenVerifier } from './ports/token-verifier.ts';
export {
  type FanOut,
  type Publishing,
  type PublishSpan,
  type TraceParent,
  type Tracing,
  tryParseTraceparent,
} from './ports/tracing.ts';
// publication: one event in a channel, and its frames
export { mergeHistory } from './publication/live-places.ts';
export type { Outcome } from './publication/outcome.ts';
export { isOvertaken } from './publication/positions.ts';
export { type Frame, type FrameFormat, Publication } from './publication/publication.ts';
// writing: frames, and when sockets are written to
export { FanOutCounters, type TransportCounters } from './writing/fan-out-counters.ts';
export {
  allocateTextFrame,
  encodeTextFrame,
  joinBuffers,
  PING_FRAME,
  splitTextFrames,
  textPayload,
} from './writing/text-frame.ts';
