import { memberTexts } from '../wire/member-texts.ts';
import type { Problem } from '../wire/problems.ts';

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
 * @param text JSON of the whole event; undefined for an event that was never text
 */
export function readSentText(event: SentEvent, text: string | undefined): SentTextResult {
  const { data, message_id: id } = event;
  const messageId = id === undefined ? undefined : JSON.stringify(id);
  if (text === undefined) return { ok: true, sent: { data: JSON.stringify(data), messageId } };
  const { texts, doubled } = memberTexts(text);
  if (doubled.length > 0) return { ok: false, problems: doubled.map(doubledProblem) };
  const sent = { data: texts.get('data') ?? '{}', messageId: messageId && texts.get('message_id') };
  return { ok: true, sent };
}

interface SentEvent {
  readonly data: object;
  readonly message_id?: string;
}

function doubledProblem(field: string): Problem {
  return { field, message: 'is given more than once' };
}

/** Adds members to the text of an object, in front of its own. */
export function withMembers(text: string, members: Readonly<Record<string, string>>): string {
  const added = JSON.stringify(members).slice(1, -1);
  if (added === '') return text;
  return `{${added}${/^\{\s*\}$/.test(text) ? '' : ','}${text.slice(1)}`;
}
