import { hash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { Deadline, type Telemetry } from '@leque/core';
import type { BatchItemResult, Event, ItemResult } from '@leque/protocol';
import { RequestError } from '@leque/service';
import type { CheckedLists } from './checked-lists.ts';
import type { CheckOptions, EventChecks } from './event-checks.ts';
import { publishLists } from './publish-lists.ts';
import type { Publishing, PublishOptions } from './publishing.ts';
import { failedStatus, problemFor, storedAnswer, worstOf } from './results.ts';

/** Milliseconds for which the events of a batch are checked without a pause. */
const TURN_MS = 4;

export interface BatchRequest extends Omit<PublishOptions, 'deadline'> {
  /** JSON of each event, as it was sent. */
  readonly texts: readonly string[];
  /** Its idempotency key is that of the whole request; the key of each item is derived from it. */
  readonly check: CheckOptions;
  /**
   * Called before anything is stored.
   * @throws ProtocolError or RequestError to refuse the batch
   */
  readonly accept: (lists: readonly CheckedLists[]) => void;
  /** Milliseconds that storing may take; checking takes as long as the batch is large. */
  readonly storeWithinMs: number;
}

export interface BatchDeps {
  readonly checks: Pick<EventChecks, 'checkAny'>;
  readonly publishing: Publishing;
  readonly telemetry: Telemetry;
}

/** An item that was checked: an event to store, or the result of one that is refused. */
type Checked =
  | { readonly event: Event }
  | { readonly lists: CheckedLists }
  | { readonly refused: Exclude<ItemResult, { status: 'stored' }> };

/**
 * Checks all events of a batch, and then publishes them in their order, without waiting for one to
 * send the next.
 * @returns one result per item, in order; an invalid item does not affect the others
 * @throws RequestError `invalid_json` when an item is not JSON, because then the list is not JSON
 *   either. Nothing is stored then.
 */
export async function publishBatch(
  deps: BatchDeps,
  { texts, check, accept, storeWithinMs, ...request }: BatchRequest,
): Promise<BatchItemResult[]> {
  const checked = await checkAll(deps, texts, check);
  accept(checked.flatMap((item) => ('lists' in item ? [item.lists] : [])));
  using deadline = new Deadline(storeWithinMs);
  const options = { ...request, deadline };
  const results: Promise<BatchItemResult>[] = [];
  for (const item of checked) {
    const isList = 'lists' in item;
    // A list is sent bit by bit: what precedes it and what follows it must not get in between.
    if (isList) await Promise.all(results);
    const result = publishItem(deps, item, options);
    if (isList) await result;
    results.push(result);
  }
  return await Promise.all(results);
}

async function publishItem(
  deps: BatchDeps,
  item: Checked,
  options: PublishOptions,
): Promise<BatchItemResult> {
  if ('refused' in item) return item.refused;
  if ('event' in item) return await publishOne(deps, item.event, options);
  const answer = await publishLists(deps, item.lists, options);
  return { status: worstOf(answer.results), ...answer };
}

/** Other requests get their turn between two items, because a batch may have megabytes. */
async function checkAll(
  deps: BatchDeps,
  texts: readonly string[],
  check: CheckOptions,
): Promise<Checked[]> {
  const { key } = check;
  const checked: Checked[] = [];
  let turnEnds = performance.now() + TURN_MS;
  for (const [index, text] of texts.entries()) {
    const ofItem = key === undefined ? check : { ...check, key: itemKey(key, index) };
    checked.push(checkOne(deps, text, ofItem));
    if (performance.now() < turnEnds) continue;
    await setImmediate();
    turnEnds = performance.now() + TURN_MS;
  }
  return checked;
}

function checkOne(deps: BatchDeps, text: string, check: CheckOptions): Checked {
  try {
    const checked = deps.checks.checkAny(text, check);
    return 'lists' in checked ? { lists: checked } : { event: checked };
  } catch (error) {
    if (error instanceof RequestError && error.code === 'invalid_json') throw error;
    return { refused: { status: 'refused', problem: problemFor(deps.telemetry, error) } };
  }
}

async function publishOne(
  deps: BatchDeps,
  event: Event,
  options: PublishOptions,
): Promise<ItemResult> {
  try {
    const published = await deps.publishing.publish(event, options);
    return { status: event.live ? 'live' : 'stored', ...storedAnswer(event, published) };
  } catch (error) {
    const problem = problemFor(deps.telemetry, error);
    return { status: failedStatus(problem), problem };
  }
}

/** The hash keeps derived keys apart from the keys of single events, such as `order:0`. */
function itemKey(key: string, index: number): string {
  return `batch:${hash('sha256', `${index}:${key}`, 'base64url')}`;
}
