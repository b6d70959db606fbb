import type { Position } from './position.ts';

/** A stored publication as it travels between nodes. */
export interface Payload {
  readonly channel: string;
  readonly type: string;
  readonly position: Position | undefined;
  readonly json: string;
}

const VERSION = '1';
const LIVE_ONLY = '-';

/**
 * Reads `1 EPOCH OFFSET TYPE CHANNEL\n{event JSON}`, which the Redis Function writes; EPOCH is
 * `-` and OFFSET 0 where no history is kept. A node needs no more than this to frame it.
 * Undefined when the text is something else.
 */
export function decodePayload(payload: string): Payload | undefined {
  const end = payload.indexOf('\n');
  if (end < 0) return undefined;
  const [version, epoch, offset, type, channel] = payload.slice(0, end).split(' ');
  if (version !== VERSION || !epoch || !offset || !type || !channel) return undefined;
  const json = payload.slice(end + 1);
  const number = Number(offset);
  if (!Number.isSafeInteger(number) || !looksLikeEvent(json)) return undefined;
  const position = epoch === LIVE_ONLY ? undefined : { epoch, offset: number };
  return { channel, type, position, json };
}

/** As far as one sees without parsing: an object with a member, to which others can be appended. */
function looksLikeEvent(json: string): boolean {
  return /^\s*\{\s*"/.test(json) && json.endsWith('}');
}
