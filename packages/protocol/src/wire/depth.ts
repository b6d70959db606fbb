/** Deepest nesting of JSON. JSON readers of other languages, and of Redis, fail at some greater depth. */
export const MAX_DEPTH = 100;

/** Stops looking at the given number of levels, so that deep input costs no stack. */
export function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  if (Array.isArray(value)) return value.some((item) => isDeeperThan(item, levels - 1));
  const members = value as Readonly<Record<string, unknown>>;
  // `Object.values` would make a list for each object of each event.
  for (const name in members) if (isDeeperThan(members[name], levels - 1)) return true;
  return false;
}
