export {
  Bystanders,
  Delivery,
  DeliveryReport,
  type NodeDeliveries,
  PublishRecord,
} from './api/delivery-report.ts';
export { CursorAnswer, GRANT_TTL_S, GrantRequest, GrantsAnswer } from './api/grants.ts';
export { HistoryAnswer } from './api/history.ts';
export { LogLevelAnswer, LogLevelChange, PROCESS_LOG_LEVELS } from './api/log-level.ts';
export { NodeStatus, NodesAnswer } from './api/node-status.ts';
export {
  BatchItemResult,
  ItemResult,
  ListResult,
  PublishResults,
  Stored,
} from './api/publish.ts';
export { Stats } from './api/stats.ts';
export {
  EVENT_ADDRESSES,
  type UnaddressedPolicy,
  USER_TYPE_ADDRESSES,
} from './events/addressing.ts';
export { RESERVED_CODES, type SchemaPolicy } from './events/data-schemas.ts';
export {
  type Event,
  type EventRules,
  MAX_EVENT_BYTES,
  type ParsedEvent,
  tryParseEvent,
  withoutTraceparent,
  withTraceparent,
} from './events/event.ts';
export { EVENT_FIELDS, EventInput, STORED_FIELDS } from './events/event-fields.ts';
export {
  type EventForEach,
  type EventList,
  eventForEach,
  eventIn,
  hasLists,
  LIST_FIELDS,
  MAX_RECIPIENTS,
  type Recipient,
  tryParseLists,
} from './events/event-list.ts';
export {
  EVENT_DATA,
  LOG_LEVELS,
  type LogLevel,
  RESERVED_TYPES,
  repeatedAs,
  USER_TYPES,
} from './events/event-types.ts';
export type { SentJson } from './events/sent-text.ts';
export {
  ALL,
  type ChannelKind,
  FIREHOSE,
  type HistoryKind,
  historyKind,
  keepsHistory,
  LOGS,
  projectChannel,
  suggestChannel,
  tryParseChannel,
  userChannel,
} from './wire/channel.ts';
export { CLOSE, type CloseCode } from './wire/close-codes.ts';
export {
  type Action,
  bringsCursors,
  COMMANDS,
  type Command,
  checkCommand,
  grantsOf,
  ignoredFields,
  MAX_CURSORS,
  MAX_GRANTS,
  MAX_TOKEN_LENGTH,
  namesCursors,
  parseCommand,
  type RequestId,
  requestIdOf,
} from './wire/commands.ts';
export { isDeeperThan, MAX_DEPTH } from './wire/depth.ts';
export { type Enveloped, encodeEnvelope, encodeEnvelopeEnd, encodeReply } from './wire/envelope.ts';
export { ERRORS, type ErrorCode, ProtocolError } from './wire/errors.ts';
export { ID_RULE, IdText, isId, tryReadId } from './wire/id.ts';
export { endOfString, type MemberTexts, memberTexts } from './wire/member-texts.ts';
export { type Payload, tryDecodePayload } from './wire/payload.ts';
export {
  type Cursor,
  isNewerCursor,
  type Position,
  parseCursor,
  toCursor,
  tryParseCursor,
} from './wire/position.ts';
export { ProblemDocument } from './wire/problem-document.ts';
export { describeProblems, findProblems, type Problem } from './wire/problems.ts';
export type { ServerMessage } from './wire/server-messages.ts';
