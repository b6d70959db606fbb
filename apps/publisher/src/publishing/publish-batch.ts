import { hash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { Deadline, type Published, reportUnavailable, type Telemetry } from '@leque/core';
import {
  type Event,
  type ItemResult,
  type ProblemDocument,
  type Stored,
  toCursor,
} from '@leque/protocol';
import { isFailure, problemOf, RequestError } from '@leque/service';
import type { CheckOptions, Publishing, PublishOptions } from './publishing.ts';

/** Milliseconds for which the events of a batch are checked without a pause. */
const TURN_MS = 4;

const UNADDRESSED =
  'deprecated: this event named nobody, so it went to everybody; say channel "all", or give user_id or project_id';

export function storedAnswer(event: Event, published: Published): Stored {
  const { channel, live, unaddressed, warnings } = event;
  const { messageId: message_id, position, duplicate } = published;
  const stored: Stored =
    position === undefined
      ? { message_id, channel, duplicate }
      : { message_id, channel, cursor: toCursor(position), duplicate };
  if (live) stored.live = true;
  if (unaddressed) stored.warning = UNADDRESSED;
  if (warnings !== undefined) stored.warnings = [...warnings];
  return stored;
}

export interface BatchRequest extends Omit<PublishOptions, 'deadline'> {
  /** JSON of each event, as it was sent. */
  readonly texts: readonly string[];
  /** Its idempotency key is that of the whole request; the key of each item is derived from it. */
  readonly check: CheckOptions;
  /** Milliseconds that storing may take; checking takes as long as the batch is large. */
  readonly storeWithinMs: number;
}

export interface BatchDeps {
  readonly publishing: Publishing;
  readonly telemetry: Telemetry;
}

/** An item that was checked: an event to store, or the result of one that is refused. */
type Checked =
  | { readonly event: Event }
  | { readonly refused: Extract<ItemResult, { status: 'refused' }> };

/**
 * Checks all events of a batch, and then publishes them in their order, without waiting for one to
 * send the next.
 * @returns one result per item, in order; an invalid item does not affect the others
 * @throws RequestError `invalid_json` when an item is not JSON, because then the list is not JSON
 *   either. Nothing is stored then.
 */
export async function publishBatch(
  deps: BatchDeps,
  { texts, check, storeWithinMs, ...request }: BatchRequest,
): Promise<ItemResult[]> {
  const checked = await checkAll(deps, texts, check);
  using deadline = new Deadline(storeWithinMs);
  const options = { ...request, deadline };
  return await Promise.all(
    checked.map((item) =>
      'event' in item ? publishOne(deps, item.event, options) : Promise.resolve(item.refused),
    ),
  );
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
    return { event: deps.publishing.check(text, check) };
  } catch (error) {
    if (error instanceof RequestError && error.code === 'invalid_json') throw error;
    return { refused: { status: 'refused', problem: problemFor(deps, error) } };
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
    const problem = problemFor(deps, error);
    return { status: problem.code === 'unavailable' ? 'unavailable' : 'unknown', problem };
  }
}

function problemFor({ telemetry }: BatchDeps, error: unknown): ProblemDocument {
  if (isFailure(error)) telemetry.report({ type: 'failure', where: 'publish', error });
  else reportUnavailable(telemetry, { where: 'publish', error });
  return problemOf(error);
}

/** The hash keeps derived keys apart from the keys of single events, such as `order:0`. */
function itemKey(key: string, index: number): string {
  return `batch:${hash('sha256', `${index}:${key}`, 'base64url')}`;
}

/** The problem of the whole batch; undefined as soon as one event is known to be published. */
export function batchProblem(results: readonly ItemResult[]): ProblemDocument | undefined {
  if (results.some(({ status }) => status === 'stored' || status === 'live')) return undefined;
  const failed = results.filter(
    (item) => item.status === 'unavailable' || item.status === 'unknown',
  );
  const worst = failed.find(({ status }) => status === 'unknown') ?? failed[0];
  return worst?.problem;
}
