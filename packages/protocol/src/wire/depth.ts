/** Deepest nesting of JSON. JSON readers of other languages, and of Redis, fail at some greater depth. */
export const MAX_DEPTH = 100;

/** Stops looking at the given number of levels, so that deep input costs no stack. */
export function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  const members: unknown[] = Array.isArray(value) ? value : Object.values(value);
  return members.some((member) => isDeeperThan(member, levels - 1));
}
