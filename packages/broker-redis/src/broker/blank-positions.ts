import type { Position } from '@leque/protocol';

/** The epoch of a channel that nobody has published to, see functions/epochs.lua: name and day. */
const BLANK_EPOCH = /^([0-9a-f]{8})n([0-9a-z]{1,6})$/;
const FIRST_EPOCH = /^[0-9a-f]{16}$/;
const DAY_MS = 24 * 3600 * 1000;
/** Such a position counts for five days; a client that gets it today may come back days later. */
const RENEWED_AFTER_DAYS = 2;

/** Whether `first` is the first publication ever, for a node at the position `blank` of before. */
export function isFirstAfter(blank: Position, { epoch, offset }: Position): boolean {
  if (offset !== 1 || blank.offset !== 0 || !FIRST_EPOCH.test(epoch)) return false;
  const name = BLANK_EPOCH.exec(blank.epoch)?.[1];
  return name !== undefined && epoch.startsWith(name);
}

/** Whether new subscribers should get a younger position of this channel, which has no publications. */
export function isAged(position: Position | undefined, now: number): boolean {
  if (position?.offset !== 0) return false;
  const day = BLANK_EPOCH.exec(position.epoch)?.[2];
  if (day === undefined) return false;
  return Math.floor(now / DAY_MS) - Number.parseInt(day, 36) >= RENEWED_AFTER_DAYS;
}
