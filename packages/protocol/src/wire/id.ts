import { type Static, Type } from 'typebox';
import { Format } from 'typebox/format';

/** The rule of ids in words, which also follow "must be" in error messages. */
export const ID_RULE =
  'a text of 1 to 256 bytes in UTF-8 without control characters, or a whole number';
const MAX_BYTES = 256;
/** Ids that need no encoding in the name of a channel, which are nearly all. */
const PLAIN = /^[A-Za-z0-9._:@+~-]{1,256}$/;
/** Control characters, line separators, and halves of surrogate pairs, which have no UTF-8. */
const FORBIDDEN = /[\p{Cc}\p{Cs}\u2028\u2029]/u;
/** The word for all projects in a token, so that no id may be called the same. */
const ALL_IDS = '*';
const FORMAT = 'leque-id';

const encoder = new TextEncoder();

Format.Set(FORMAT, isId);

/** An id as a text, see PROTOCOL.md [ID]. */
export const IdText = Type.String({ format: FORMAT, description: ID_RULE });

/** The greatest whole number that every language reads exactly. */
const MAX_NUMBER = Number.MAX_SAFE_INTEGER;
const WholeNumber = Type.Integer({ minimum: -MAX_NUMBER, maximum: MAX_NUMBER });

/** An id as clients and publishers may write it: a whole number stands for its decimal digits. */
export const Id = Type.Union([IdText, WholeNumber], { description: ID_RULE });
export type Id = Static<typeof Id>;

/** A name in `data` that is no address, such as that of a task. */
export const Ref = Type.Union([Type.String({ minLength: 1, maxLength: 256 }), WholeNumber], {
  description: 'a text of 1 to 256 characters, or a whole number',
});

/** Whether a text is an id. Ids are compared byte for byte; texts are not normalised. */
export function isId(value: unknown): value is string {
  return typeof value === 'string' && (PLAIN.test(value) || isUnusualId(value));
}

function isUnusualId(text: string): boolean {
  if (text === '' || text === ALL_IDS || text.length > MAX_BYTES) return false;
  return !FORBIDDEN.test(text) && encoder.encode(text).length <= MAX_BYTES;
}

/** The text of an id, which a whole number stands for as well; undefined for anything else. */
export function tryReadId(value: unknown): string | undefined {
  const text = Number.isSafeInteger(value) ? String(value) : value;
  return isId(text) ? text : undefined;
}

/**
 * Encodes an id for the name of a channel: letters, digits and `. _ - ~ : @ +` stay, and every other
 * byte of its UTF-8 becomes `%XX` in capital digits. Different ids have different encodings.
 * @param id well-formed text
 */
export function encodeId(id: string): string {
  if (PLAIN.test(id)) return id;
  return encodeURIComponent(id)
    .replace(/%(?:3A|40|2B)/g, decodeURIComponent)
    .replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** The id of an encoding that `encodeId` makes; undefined for every other text. */
export function tryDecodeId(encoded: string): string | undefined {
  if (PLAIN.test(encoded)) return encoded;
  if (!encoded.includes('%')) return undefined;
  try {
    const id = decodeURIComponent(encoded);
    return isId(id) && encodeId(id) === encoded ? id : undefined;
  } catch {
    return undefined; // not UTF-8
  }
}
