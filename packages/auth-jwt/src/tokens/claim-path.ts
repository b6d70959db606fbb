type Claims = Readonly<Record<string, unknown>>;

/**
 * Finds a claim by its name, or by a path of names with dots between them. A name may itself have dots
 * and slashes, as in `https://app.example.org/projects`: the longest name that exists counts.
 * @returns undefined for a claim that is missing or null
 */
export function findClaim(claims: Claims, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path] ?? undefined;
  for (let end = path.lastIndexOf('.'); end > 0; end = path.lastIndexOf('.', end - 1)) {
    const inner = claims[path.slice(0, end)];
    if (!Object.hasOwn(claims, path.slice(0, end)) || !isObject(inner)) continue;
    const found = findClaim(inner, path.slice(end + 1));
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * Reads a claim that lists words: a list, text with white space or commas between the words, or the JSON
 * text of a list. Undefined for anything else.
 */
export function tryReadList(claim: unknown): readonly unknown[] | undefined {
  if (Array.isArray(claim)) return claim;
  if (typeof claim !== 'string') return undefined;
  const text = claim.trim();
  return text.startsWith('[') ? tryParseList(text) : text.split(/[\s,]+/).filter(Boolean);
}

function tryParseList(text: string): readonly unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Claims {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
