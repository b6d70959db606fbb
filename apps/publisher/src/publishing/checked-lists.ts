import { hash } from 'node:crypto';
import type { Grants } from '@leque/core';
import { type Event, type EventList, MAX_RECIPIENTS, type Recipient } from '@leque/protocol';
import { RequestError } from '@leque/service';
import { forbidden, tooLarge } from './refusals.ts';

/** A list names several channels; this is one, with the verdict on it. */
export interface Target {
  readonly channel: string;
  /** Why the event is not stored there; undefined when it may be. */
  readonly refusal: Error | undefined;
}

/** An event for users, or for projects, that was checked. */
export interface CheckedList {
  /** The event with `placeholder` in place of the recipient's id. */
  readonly template: Event;
  readonly placeholder: string;
  readonly targets: readonly Target[];
}

/** An event with lists that was checked: for users, for projects, or for both. */
export interface CheckedLists {
  readonly lists: readonly CheckedList[];
  /** Bytes that are stored, in all channels together. */
  readonly bytes: number;
}

export interface ListLimits {
  readonly maxEventBytes: number;
  readonly grants: Grants;
}

/** Checks the size of each recipient's event, and the right to publish to each. */
export function checkLists(lists: readonly EventList[], limits: ListLimits): CheckedLists {
  let bytes = 0;
  const checked = lists.map(({ template, placeholder, recipients }) => {
    const sizeOf = sizesOf(template.json, placeholder);
    const targets = recipients.map((recipient) => {
      const size = sizeOf(recipient.id);
      const refusal = refusalOf(recipient, size, limits);
      if (refusal === undefined) bytes += size;
      return { channel: recipient.channel, refusal };
    });
    return { template, placeholder, targets };
  });
  return { lists: checked, bytes };
}

function refusalOf(
  { channel, problems }: Recipient,
  size: number,
  { maxEventBytes, grants }: ListLimits,
): Error | undefined {
  if (problems.length > 0) return RequestError.ofProblems('invalid_event', problems);
  if (!grants.mayPublish(channel)) return forbidden(channel);
  return size > maxEventBytes ? tooLarge(maxEventBytes, size) : undefined;
}

/** @returns the bytes of the event for an id */
function sizesOf(json: string, placeholder: string): (id: string) => number {
  const parts = json.split(JSON.stringify(placeholder));
  const shared = parts.reduce((sum, part) => sum + Buffer.byteLength(part), 0);
  return (id) => shared + (parts.length - 1) * Buffer.byteLength(JSON.stringify(id));
}

/**
 * Bounds what one request stores by its lists, as its body bounds the rest.
 * @param others events of the request that have no lists
 * @throws RequestError `invalid_request` or `payload_too_large`
 */
export function assertWithinLimits(
  lists: readonly CheckedLists[],
  { others, maxBytes }: { readonly others: number; readonly maxBytes: number },
): void {
  const count = lists.reduce((sum, each) => sum + recipientsOf(each), others);
  if (count > MAX_RECIPIENTS) {
    const limit = `a request with lists stores at most ${MAX_RECIPIENTS} events in all`;
    throw new RequestError('invalid_request', `${limit}, this one has ${count}`);
  }
  const bytes = lists.reduce((sum, each) => sum + each.bytes, 0);
  if (bytes <= maxBytes) return;
  const limit = `the events that lists of one request stand for have at most ${maxBytes} bytes`;
  const detail = `${limit} together (MAX_BATCH_SIZE), these have ${bytes}`;
  throw new RequestError('payload_too_large', detail);
}

export function recipientsOf({ lists }: CheckedLists): number {
  return lists.reduce((sum, { targets }) => sum + targets.length, 0);
}

export function refusalsIn({ lists }: CheckedLists): number {
  const refused = ({ refusal }: Target) => refusal !== undefined;
  return lists.reduce((sum, { targets }) => sum + targets.filter(refused).length, 0);
}

/**
 * The message id of an event with lists that has a key and no id. A retry, which may store the event
 * in the channels that are left, gives it the same id.
 */
export function messageIdOf(ownedKey: string): string {
  const hex = hash('sha256', `message id\n${ownedKey}`, 'hex');
  const parts = [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`];
  return [...parts, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join('-');
}
