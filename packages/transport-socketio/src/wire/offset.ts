import { type Cursor, type Position, tryParseChannel, tryParseCursor } from '@leque/protocol';

/**
 * An offset, as Socket.IO's clients call it: one string, the last argument of the last event that has
 * one, which they present when they come back. Leque's offsets hold positions, see [IO8]:
 *
 *     CHANNEL=CURSOR                        one channel's; all others are as in the client's `pid`
 *     CHANNEL=CURSOR;CHANNEL=CURSOR;#ID     several channels'; ID is the id of the client's `pid`
 *
 * `CHANNEL=` means that the channel was left, and `CHANNEL=~` that it ended with its right. `CURSOR~` means that the client has seen the first of
 * the two events of the publication.
 */
export interface Offset {
  /** Undefined for a channel that was left. */
  readonly positions: ReadonlyMap<string, Position | undefined>;
  /**
   * Channels in which the client has not seen the second event of the last publication; without a
   * position, channels that have ended with their right.
   */
  readonly partial: ReadonlySet<string>;
  /** The id of the `pid`; undefined in an offset that all recipients of a publication share. */
  readonly id: string | undefined;
}

/** Channels that an offset or a `pid` may name. */
export const MAX_POSITIONS = 32;
/** Characters that these positions may take, so that what a client presents fits into one message. */
const MAX_POSITIONS_LENGTH = 8_192;
/** Replaces the positions when there are more, so that the client's state is unknown. */
const MORE = '*';
/** Replaces a cursor when the channel's position is unknown. */
export const UNKNOWN = '?';
const PARTIAL = '~';
const POSITION = /^([^=]{1,800})=([a-z0-9.]*)(~?)$/;
const ID = /^#([\w-]{1,16})$/;

export function formatPosition(channel: string, cursor: Cursor): string {
  return `${channel}=${cursor}`;
}

export function formatPartial(entry: string): string {
  return entry + PARTIAL;
}

/** The part that follows the position of the event's own channel, if any: those of the others. */
export function formatTail(id: string, entries: readonly string[]): string {
  const named = isTooMuch(entries) ? [MORE] : entries;
  return [...named, `#${id}`].map((part) => `;${part}`).join('');
}

/** Whether positions are too many, or too long, for an offset or a `pid`. */
export function isTooMuch(entries: readonly string[]): boolean {
  if (entries.length > MAX_POSITIONS) return true;
  return entries.reduce((length, entry) => length + entry.length, 0) > MAX_POSITIONS_LENGTH;
}

/** Undefined for a text that does not hold positions, whoever made it. */
export function parseOffset(text: string): Offset | undefined {
  const [first = '', ...others] = text.split(';', MAX_POSITIONS + 3);
  const id = ID.exec(others.at(-1) ?? '')?.[1];
  if (others.length > 0 && id === undefined) return undefined;
  const parts = [first, ...others.slice(0, -1)].filter((part) => part !== '');
  const positions = parsePositions(parts);
  const partial = parts.filter((part) => part.endsWith(PARTIAL)).map(channelOf);
  return positions && { positions, partial: new Set(partial), id };
}

function channelOf(entry: string): string {
  return entry.slice(0, entry.indexOf('='));
}

/** The first position of a channel counts. Undefined when any entry is not a position. */
export function parsePositions(
  parts: readonly string[],
): Map<string, Position | undefined> | undefined {
  const positions = new Map<string, Position | undefined>();
  for (const part of parts) {
    const [, channel = '', cursor = ''] = POSITION.exec(part) ?? [];
    const position = tryParseCursor(cursor);
    if (tryParseChannel(channel) === undefined) return undefined;
    if (position === undefined && cursor !== '') return undefined;
    if (!positions.has(channel)) positions.set(channel, position);
  }
  return positions;
}
