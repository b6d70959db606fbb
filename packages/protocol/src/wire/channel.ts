import { encodeId, isId, tryDecodeId } from './id.ts';

/** Events for everyone. */
export const ALL = 'all';
/** Events of type `log_message`, live only. */
export const LOGS = 'logs';
/** Repeats every stored project publication for sessions that may see all projects, live only. */
export const FIREHOSE = 'firehose';

export type ChannelKind = 'project' | 'user' | typeof ALL | typeof LOGS | typeof FIREHOSE;

/** Kinds of channels that keep a history. The others are live only, without positions. */
export type HistoryKind = Exclude<ChannelKind, typeof LOGS | typeof FIREHOSE>;

/** The channel of a project. Different projects have different channels. */
export function projectChannel(projectId: string): string {
  return `project:${encodeId(projectId)}`;
}

/** The channel of a user. Different users have different channels. */
export function userChannel(userId: string): string {
  return `user:${encodeId(userId)}`;
}

/** The parts of a channel's name. */
export interface ParsedChannel {
  readonly kind: ChannelKind;
  /** The decoded id; empty for a channel without an id. */
  readonly id: string;
}

/** Undefined for a text that names no channel. */
export function tryParseChannel(channel: string): ParsedChannel | undefined {
  if (channel === ALL || channel === LOGS || channel === FIREHOSE) return { kind: channel, id: '' };
  const [kind, encoded] = splitName(channel);
  if (kind !== 'project' && kind !== 'user') return undefined;
  const id = tryDecodeId(encoded);
  return id === undefined ? undefined : { kind, id };
}

/**
 * The name of the channel that is probably meant by a text with an id that is not encoded, for the
 * error that refuses the text; undefined for other texts.
 */
export function suggestChannel(text: string): string | undefined {
  const [kind, id] = splitName(text);
  if ((kind !== 'project' && kind !== 'user') || !isId(id)) return undefined;
  return tryParseChannel(text) === undefined ? `${kind}:${encodeId(id)}` : undefined;
}

function splitName(channel: string): [kind: string, encoded: string] {
  const colon = channel.indexOf(':');
  return [channel.slice(0, Math.max(colon, 0)), channel.slice(colon + 1)];
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
