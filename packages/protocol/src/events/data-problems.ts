import type { Problem } from '../wire/problems.ts';

/** Texts that match may hold a number beyond the range of 64-bit floats, which ends at about 1.8e308. */
const HUGE_NUMBER = /[eE]\+?\d{3}|\d{200}/;
/** Texts that match may hold half of a surrogate pair, which has no UTF-8. */
const SURROGATE_ESCAPE = /\\u[dD][89a-fA-F]/;

const NONE: readonly Problem[] = [];

/**
 * The problems of `data` that keep readers of some language from reading it, whatever its type.
 * @param data at most `MAX_DEPTH` levels deep
 * @param text the JSON of `data`
 */
export function dataFormProblems(data: object, text: string): readonly Problem[] {
  const tooLarge = HUGE_NUMBER.test(text) ? findPath(data, isInfinite) : undefined;
  if (tooLarge !== undefined) {
    return [{ field: tooLarge, message: 'must be a number within the range of 64-bit floats' }];
  }
  const illFormed = SURROGATE_ESCAPE.test(text) ? findPath(data, isIllFormed) : undefined;
  if (illFormed === undefined) return NONE;
  return [{ field: illFormed.toWellFormed(), message: 'must be well-formed text' }];
}

function isInfinite(value: unknown): boolean {
  return typeof value === 'number' && !Number.isFinite(value);
}

function isIllFormed(value: unknown, name: string): boolean {
  return !name.isWellFormed() || (typeof value === 'string' && !value.isWellFormed());
}

/** The dotted path of the first value in `data` that fits; undefined without any. */
function findPath(
  data: object,
  fits: (value: unknown, name: string) => boolean,
  path = 'data',
): string | undefined {
  for (const [name, value] of Object.entries(data)) {
    const at = `${path}.${name}`;
    if (fits(value, name)) return at;
    const inside = typeof value === 'object' && value !== null && findPath(value, fits, at);
    if (inside) return inside;
  }
  return undefined;
}
