import { printError } from '../api/print.ts';

/** Edits between a name and a known one that still count as a misspelling. */
const MAX_EDITS = 2;
/** Short names are near to many words, so that they may differ by one edit only. */
const SHORT_LENGTH = 6;
/** First words that are so common that a name which begins with one need not be Leque's. */
const SHARED_PREFIXES = ['REDIS', 'OTEL', 'NODE', 'LOG'];
/** Variables that container engines add for every service. */
const SERVICE_LINK = /_(SERVICE_(HOST|PORT\w*)|PORT(_\d+_\w+)?)$/;

export interface UnknownVariable {
  readonly name: string;
  /** The known name that was probably meant. */
  readonly meant?: string;
}

/**
 * Finds variables that look like Leque's and are none: a few letters away from a known name that is
 * not set, or with the first word of several known names.
 */
export function findUnknownVariables(
  env: Readonly<Record<string, string | undefined>>,
  known: readonly string[],
): UnknownVariable[] {
  const unset = known.filter((name) => !env[name]);
  const prefixes = prefixesOf(known);
  return Object.keys(env)
    .filter((name) => !known.includes(name) && !SERVICE_LINK.test(name))
    .flatMap((name) => {
      const meant = nearest(name, unset);
      if (meant !== undefined) return [{ name, meant }];
      return prefixes.has(firstWord(name)) ? [{ name }] : [];
    });
}

/**
 * Says on stderr which variables are probably misspelt.
 * @param known names that the process reads
 */
export function warnOfUnknownVariables(
  env: Readonly<Record<string, string | undefined>>,
  known: readonly string[],
): void {
  for (const { name, meant } of findUnknownVariables(env, known)) {
    // A name that only begins like a known one may be for another part of the system.
    if (meant !== undefined) printError(`warning: ${name} is not read; did you mean ${meant}?`);
  }
}

/** First words that several known names have in common. */
function prefixesOf(known: readonly string[]): ReadonlySet<string> {
  const words = known.filter((name) => name.includes('_')).map(firstWord);
  const repeated = words.filter((word, index) => words.indexOf(word) !== index);
  return new Set(repeated.filter((word) => !SHARED_PREFIXES.includes(word)));
}

function firstWord(name: string): string {
  return name.split('_', 1)[0] ?? name;
}

function nearest(name: string, known: readonly string[]): string | undefined {
  const limit = name.length < SHORT_LENGTH ? 1 : MAX_EDITS;
  const ranked = known
    .map((candidate) => ({ candidate, edits: editDistance(name.toUpperCase(), candidate) }))
    .filter(({ edits }) => edits <= limit)
    .sort((one, other) => one.edits - other.edits);
  return ranked[0]?.candidate;
}

/** Levenshtein distance: single letters that are inserted, deleted or replaced. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...from].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...to].entries()) {
      const replaced = (row[j] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
