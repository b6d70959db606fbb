import { hash } from 'node:crypto';
import {
  type Event,
  hasLists,
  type SchemaPolicy,
  type SentJson,
  tryParseEvent,
  tryParseLists,
  type UnaddressedPolicy,
} from '@leque/protocol';
import { RequestError } from '@leque/service';
import { type CheckedLists, checkLists, messageIdOf, refusalsIn } from './checked-lists.ts';
import { isTooLong } from './event-text.ts';
import type { Caller, PublishCounters } from './publishing.ts';
import { forbidden, tooLarge } from './refusals.ts';

const MAX_KEY_LENGTH = 200;

/** The key and the rights against which an event is checked. */
export interface CheckOptions {
  /** Idempotency key of the request as a whole; the event's own key comes first. */
  readonly key: string | undefined;
  readonly caller: Caller;
  /** Decides about events that name nobody. */
  readonly unaddressed: UnaddressedPolicy;
}

export interface EventChecksOptions {
  /** Largest size of one event, as it is stored and sent to clients. */
  readonly maxEventBytes: number;
  /** Decides about events whose `data` does not fit the schema of their type. */
  readonly schemas: SchemaPolicy;
}

/** Checks the events of requests, and counts those that are refused. */
export class EventChecks {
  readonly #options: EventChecksOptions;
  readonly #counters: Pick<PublishCounters, 'refused'>;

  constructor(options: EventChecksOptions, counters: Pick<PublishCounters, 'refused'>) {
    this.#options = options;
    this.#counters = counters;
  }

  /**
   * Checks an event from outside.
   * @param text JSON of the event as it was sent; a text that is too long is refused unparsed
   * @throws RequestError `invalid_json`, `invalid_event` that names the fields, `payload_too_large`;
   *   ProtocolError `forbidden` for a channel that the caller may not publish to
   */
  check(text: string, options: CheckOptions): Event {
    try {
      return this.#checkEvent(this.#read(text), options);
    } catch (error) {
      this.#counters.refused += 1;
      throw error;
    }
  }

  /** Checks an event that may name its recipients in lists, as `check` does. */
  checkAny(text: string, options: CheckOptions): Event | CheckedLists {
    try {
      const json = this.#read(text);
      if (hasLists(json.parsed)) return this.#checkLists(json.parsed, json, options);
      return this.#checkEvent(json, options);
    } catch (error) {
      this.#counters.refused += 1;
      throw error;
    }
  }

  #read(text: string): SentJson {
    const { maxEventBytes } = this.#options;
    if (isTooLong(text, maxEventBytes)) throw tooLarge(maxEventBytes, 'more');
    return { text, parsed: parseJson(text) };
  }

  #checkEvent(json: SentJson, options: CheckOptions): Event {
    const { maxEventBytes } = this.#options;
    const event = this.#parse(json, options);
    if (!options.caller.grants.mayPublish(event.channel)) throw forbidden(event.channel);
    const bytes = Buffer.byteLength(event.json);
    if (bytes <= maxEventBytes) return withOwnedKey(event, options.caller);
    throw tooLarge(maxEventBytes, bytes);
  }

  #parse(json: SentJson, { key, unaddressed }: CheckOptions): Event {
    const rules = { unaddressed, schemas: this.#options.schemas };
    const read = tryParseEvent(withKey(json.parsed, key), rules, json);
    if (read.ok) return read.event;
    throw RequestError.ofProblems('invalid_event', read.problems);
  }

  #checkLists(sent: object, json: SentJson, options: CheckOptions): CheckedLists {
    const { maxEventBytes, schemas } = this.#options;
    const { caller, unaddressed } = options;
    const given = withMessageId(withKey(sent, options.key), caller);
    const read = tryParseLists(given, { unaddressed, schemas }, json);
    if (!read.ok) throw RequestError.ofProblems('invalid_event', read.problems);
    const lists = read.lists.map((list) => {
      return { ...list, template: withOwnedKey(list.template, caller) };
    });
    const checked = checkLists(lists, { maxEventBytes, grants: caller.grants });
    this.#counters.refused += refusalsIn(checked);
    return checked;
  }
}

/**
 * Reads the `Idempotency-Key` header of a single event or of a batch.
 * @throws RequestError `invalid_request` for a key that is too short or too long
 */
export function keyOf(header: string | string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  const key = String(header).trim();
  if (key.length > 0 && key.length <= MAX_KEY_LENGTH) return key;
  throw RequestError.ofProblems('invalid_request', [
    { field: 'Idempotency-Key', message: `must have 1 to ${MAX_KEY_LENGTH} characters` },
  ]);
}

/** Keeps the keys of callers apart, so that no caller gets the result of another. */
function withOwnedKey(event: Event, caller: Caller): Event {
  const { idempotencyKey: key } = event;
  return key === undefined ? event : { ...event, idempotencyKey: ownedKey(key, caller) };
}

function ownedKey(key: string, { owner }: Caller): string {
  return hash('sha256', `${owner}\n${key}`, 'base64url');
}

/** Gives an event with a key the id that each retry will give it, unless it has one. */
function withMessageId(event: object, caller: Caller): object {
  const { idempotency_key: key, message_id: id } = event as Readonly<Record<string, unknown>>;
  if (typeof key !== 'string' || (id !== undefined && id !== null)) return event;
  return { ...event, message_id: messageIdOf(ownedKey(key, caller)) };
}

function parseJson(text: string): unknown {
  if (text === '') throw new RequestError('invalid_json', 'the body is empty');
  try {
    return JSON.parse(text);
  } catch {
    throw new RequestError('invalid_json', 'the text of the event is not JSON');
  }
}

/**
 * An event's own key takes precedence over the key of the request, which is for events that are stored.
 */
function withKey<T>(input: T, key: string | undefined): T {
  if (key === undefined || typeof input !== 'object' || input === null) return input;
  const { idempotency_key: own, live } = input as Readonly<Record<string, unknown>>;
  if (Array.isArray(input) || live === true || (own ?? undefined) !== undefined) return input;
  return { ...input, idempotency_key: key };
}
