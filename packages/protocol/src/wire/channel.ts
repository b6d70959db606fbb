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
/** Events of type `log_message`; live only. */
export const LOGS = 'logs';
/** Every stored project publication once more, for those who may see all projects; live only. */
export const FIREHOSE = 'firehose';

export type ChannelKind = 'project' | 'user' | typeof ALL | typeof LOGS | typeof FIREHOSE;

/** Those whose publications are kept, and have positions; the others are live only. */
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

/** What a channel name stands for; undefined when it is not one. */
export function tryParseChannel(
  channel: string,
): { readonly kind: ChannelKind; readonly id: string } | undefined {
  if (channel === ALL || channel === LOGS || channel === FIREHOSE) return { kind: channel, id: '' };
  const colon = channel.indexOf(':');
  const kind = channel.slice(0, colon);
  const id = channel.slice(colon + 1);
  if ((kind === 'project' || kind === 'user') && isId(id)) return { kind, id };
  return undefined;
}

/** What kind of history the channel has; undefined where none is kept. */
export function historyKind(channel: string): HistoryKind | undefined {
  const kind = tryParseChannel(channel)?.kind;
  return kind === LOGS || kind === FIREHOSE ? undefined : kind;
}

/** Whether the channel's publications are kept, and have positions. */
export function keepsHistory(channel: string): boolean {
  return historyKind(channel) !== undefined;
}
