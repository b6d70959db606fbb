import { Type } from 'typebox';

const ID_PATTERN = '^[A-Za-z0-9._:@+-]{1,128}$';
const ID = new RegExp(ID_PATTERN);

/** Project and user ids, see PROTOCOL.md [ID]. */
export const Id = Type.String({
  pattern: ID_PATTERN,
  description: '1 to 128 letters, digits and . _ - : @ +',
});

/** Events for everyone. */
export const ALL = 'all';
/** Events of type `log_message`, live only. */
export const LOGS = 'logs';
/** Repeats every stored project publication for sessions that may see all projects, live only. */
export const FIREHOSE = 'firehose';

export type ChannelKind = 'project' | 'user' | typeof ALL | typeof LOGS | typeof FIREHOSE;

/** Kinds of channels that keep a history. The others are live only, without positions. */
export type HistoryKind = Exclude<ChannelKind, typeof LOGS | typeof FIREHOSE>;

export function isId(value: unknown): value is string {
  return typeof value === 'string' && ID.test(value);
}

export function projectChannel(projectId: string): string {
  return `project:${projectId}`;
}

export function userChannel(userId: string): string {
  return `user:${userId}`;
}

/** The parts of a channel's name. */
export interface ParsedChannel {
  readonly kind: ChannelKind;
  /** Empty for a channel without an id. */
  readonly id: string;
}

/** Undefined for a text that names no channel. */
export function tryParseChannel(channel: string): ParsedChannel | undefined {
  if (channel === ALL || channel === LOGS || channel === FIREHOSE) return { kind: channel, id: '' };
  const colon = channel.indexOf(':');
  const kind = channel.slice(0, colon);
  const id = channel.slice(colon + 1);
  if ((kind === 'project' || kind === 'user') && isId(id)) return { kind, id };
  return undefined;
}

/** The kind of history that the channel keeps; undefined when it keeps none. */
export function historyKind(channel: string): HistoryKind | undefined {
  const kind = tryParseChannel(channel)?.kind;
  return kind === LOGS || kind === FIREHOSE ? undefined : kind;
}

/** Whether the channel keeps a history, so that its publications have positions. */
export function keepsHistory(channel: string): boolean {
  return historyKind(channel) !== undefined;
}
