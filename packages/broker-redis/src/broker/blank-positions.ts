import type { Position } from '@leque/protocol';

/** The epoch of a channel without publications, BLANKnDAY; see functions/epochs.lua. */
const BLANK_EPOCH = /^([0-9a-f]{8})n([0-9a-z]{1,6})$/;
const FIRST_EPOCH = /^[0-9a-f]{16}$/;
const DAY_MS = 24 * 3600 * 1000;
/** A position counts for five days, and a client may come back days after it got the position. */
const RENEWED_AFTER_DAYS = 2;

/** Whether a publication at this position is the first one after `blank`, with none lost between. */
export function isFirstAfter(blank: Position, { epoch, offset }: Position): boolean {
  if (offset !== 1 || blank.offset !== 0 || !FIRST_EPOCH.test(epoch)) return false;
  const name = BLANK_EPOCH.exec(blank.epoch)?.[1];
  return name !== undefined && epoch.startsWith(name);
}

/** Whether a channel has no publications, and its position is too old for new subscribers. */
export function isAged(position: Position | undefined, now: number): boolean {
  if (position?.offset !== 0) return false;
  const day = BLANK_EPOCH.exec(position.epoch)?.[2];
  if (day === undefined) return false;
  return Math.floor(now / DAY_MS) - Number.parseInt(day, 36) >= RENEWED_AFTER_DAYS;
}
