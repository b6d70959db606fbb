import { type Cursor, type Position, tryParseChannel, tryParseCursor } from '@leque/protocol';

/**
 * What Socket.IO's clients call an offset: one string, the last argument of the last event that has
 * one, which they present when they come back. Ours says where the client stands, see [IO8]:
 *
 *     CHANNEL=CURSOR                        in this channel; in all others as in its `pid`
 *     CHANNEL=CURSOR;CHANNEL=CURSOR;#ID     in these; ID is that of the `pid` for which it is
 *
 * `CHANNEL=` is a channel that was left. `CURSOR~` is the first event of two that a publication is.
 */
export interface Offset {
  /** Undefined for a channel that was left. */
  readonly stands: ReadonlyMap<string, Position | undefined>;
  /** Channels in which the second event of the last publication was not seen. */
  readonly halves: ReadonlySet<string>;
  /** Of the `pid`; undefined in what all recipients of a publication get alike. */
  readonly id: string | undefined;
}

/** Channels that an offset, and a `pid`, may name. */
export const MAX_STANDS = 32;
/** Says that there are more, so that nobody knows where the client stands. */
const MORE = '*';
/** In place of a cursor: nobody knows where the channel stands. */
export const UNKNOWN = '?';
const HALF = '~';
const STAND = /^([^=]{1,160})=([a-z0-9.]*)(~?)$/;
const ID = /^#([\w-]{1,16})$/;

export function formatStand(channel: string, cursor: Cursor): string {
  return `${channel}=${cursor}`;
}

export function formatHalf(stand: string): string {
  return stand + HALF;
}

/** What follows the stand of the event's own channel, if any: those of other channels. */
export function formatTail(id: string, stands: readonly string[]): string {
  const named = stands.length > MAX_STANDS ? [MORE] : stands;
  return [...named, `#${id}`].map((part) => `;${part}`).join('');
}

/** Undefined when it does not say where its client stands, whoever made it. */
export function parseOffset(text: string): Offset | undefined {
  const [first = '', ...others] = text.split(';', MAX_STANDS + 3);
  const id = ID.exec(others.at(-1) ?? '')?.[1];
  if (others.length > 0 && id === undefined) return undefined;
  const parts = [first, ...others.slice(0, -1)].filter((part) => part !== '');
  const stands = parseStands(parts);
  const halves = parts.filter((part) => part.endsWith(HALF)).map(channelOf);
  return stands && { stands, halves: new Set(halves), id };
}

function channelOf(stand: string): string {
  return stand.slice(0, stand.indexOf('='));
}

/** The first of a channel counts. Undefined when any of them is none. */
export function parseStands(
  parts: readonly string[],
): Map<string, Position | undefined> | undefined {
  const stands = new Map<string, Position | undefined>();
  for (const part of parts) {
    const [, channel = '', cursor = ''] = STAND.exec(part) ?? [];
    const position = tryParseCursor(cursor);
    if (tryParseChannel(channel) === undefined) return undefined;
    if (position === undefined && cursor !== '') return undefined;
    if (!stands.has(channel)) stands.set(channel, position);
  }
  return stands;
}
