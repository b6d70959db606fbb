export {
  ALL,
  type ChannelKind,
  FIREHOSE,
  type HistoryKind,
  historyKind,
  Id,
  isId,
  keepsHistory,
  LOGS,
  parseChannel,
  projectChannel,
  userChannel,
} from './channel.ts';
export { CLOSE, type CloseCode } from './close-codes.ts';
export {
  type Action,
  type Command,
  checkCommand,
  MAX_CURSORS,
  parseCommand,
  type RequestId,
  requestIdOf,
} from './commands.ts';
export { isDeeperThan, MAX_DEPTH } from './depth.ts';
export { type Enveloped, encodeEnvelope, encodeEnvelopeEnd, encodeReply } from './envelope.ts';
export { ERRORS, type ErrorCode, type ProblemDocument, ProtocolError } from './errors.ts';
export {
  type Event,
  EventInput,
  MAX_EVENT_BYTES,
  type ParsedEvent,
  parseEvent,
  withTraceparent,
} from './event.ts';
export { EVENT_DATA, LOG_LEVELS, type LogLevel, RESERVED_TYPES } from './event-types.ts';
export { decodePayload, type Payload } from './payload.ts';
export { type Cursor, type Position, parseCursor, readCursor, toCursor } from './position.ts';
export { describeProblems, findProblems, type Problem } from './problems.ts';
export { Stats } from './stats.ts';
export {
  allocateTextFrame,
  encodeTextFrame,
  joinBuffers,
  PING_FRAME,
  splitTextFrames,
  textPayload,
} from './text-frame.ts';
