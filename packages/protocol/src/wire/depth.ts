/** Readers in other languages, Redis among them, give up at some depth; so that is never reached. */
export const MAX_DEPTH = 100;

/** Looks no deeper than that, however deep it is. */
export function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  const members: unknown[] = Array.isArray(value) ? value : Object.values(value);
  return members.some((member) => isDeeperThan(member, levels - 1));
}
