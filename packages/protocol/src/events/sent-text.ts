import { memberTexts, selectMembers } from '../wire/member-texts.ts';
import type { Problem } from '../wire/problems.ts';

/** The JSON that an event was read from. */
export interface SentJson {
  readonly text: string;
  /**
   * The value that `text` was parsed to, with no member added or removed. The number of its members shows
   * whether the text has a member twice.
   */
  readonly parsed: unknown;
}

/** The JSON of those fields of an event that are stored as they were sent. */
export interface SentText {
  readonly data: string;
  /** Undefined when the publisher gave none. */
  readonly messageId: string | undefined;
}

export type SentTextResult =
  | { readonly ok: true; readonly sent: SentText }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/**
 * Finds the texts that are stored as they were sent. Printing them again would round large integers,
 * and lose the difference between 1.0 and 1 or -0 and 0. The other fields have one spelling each.
 * @param event may have members that its JSON lacks, such as an idempotency key from a header
 * @param json undefined for an event that was never text
 */
export function readSentText(event: SentEvent, json: SentJson | undefined): SentTextResult {
  if (json === undefined) return { ok: true, sent: printed(event) };
  const sent = readPlain(event, json);
  return sent === undefined ? readAny(event, json.text) : { ok: true, sent };
}

interface SentEvent {
  readonly data: object;
  readonly message_id?: string;
}

function printed({ data, message_id: id }: SentEvent): SentText {
  return { data: JSON.stringify(data), messageId: id === undefined ? id : JSON.stringify(id) };
}

const WANTED = ['data', 'message_id'];

/**
 * Reads a text in which each member of the event occurs once and has no escapes in its name, as nearly all
 * texts; undefined for other texts.
 */
function readPlain(event: SentEvent, { text, parsed }: SentJson): SentText | undefined {
  const { texts, count } = selectMembers(text, WANTED);
  const [data, messageId] = texts;
  const isComplete = data !== undefined && (messageId !== undefined) === 'message_id' in event;
  return isComplete && count === Object.keys(parsed ?? {}).length ? { data, messageId } : undefined;
}

function readAny({ message_id: id }: SentEvent, text: string): SentTextResult {
  const { texts, doubled } = memberTexts(text);
  if (doubled.length > 0) return { ok: false, problems: doubled.map(doubledProblem) };
  const messageId = id === undefined ? id : texts.get('message_id');
  return { ok: true, sent: { data: texts.get('data') ?? '{}', messageId } };
}

function doubledProblem(field: string): Problem {
  return { field, message: 'is given more than once' };
}

/** Inserts at least one member into the text of an object, in front of the object's own members. */
export function withMembers(text: string, members: Readonly<Record<string, string>>): string {
  const added = JSON.stringify(members).slice(1, -1);
  return `{${added}${/^\{\s*\}$/.test(text) ? '' : ','}${text.slice(1)}`;
}
