/** `^[class]{min,max}$`: a text of some characters. */
const ONE_CLASS = /^\^(\[[^\]^%\\]+\])\{1,(\d+)\}\$$/;
/** A class or a plain character, perhaps `{n}` times. */
const ITEM = /(\[[^\]^%\\]+\]|[\w-])(?:\{(\d+)\})?/g;

/**
 * The same pattern in Lua, which has no counts. The pattern is anchored at both ends, and matches
 * ASCII only, so that `max_length` counts bytes.
 * @throws Error when the pattern needs more than classes, plain characters and counts
 */
export function toLuaPattern(pattern: string): { pattern: string; max_length?: number } {
  const [, characters, max] = ONE_CLASS.exec(pattern) ?? [];
  if (characters !== undefined) return { pattern: `^${characters}+$`, max_length: Number(max) };
  const items = [...pattern.matchAll(ITEM)];
  if (`^${items.map(([item]) => item).join('')}$` !== pattern) {
    throw new Error(`no pattern for Lua can be made of ${pattern}`);
  }
  const parts = items.map(([, item = '', count = '1']) => {
    return (item === '-' ? '%-' : item).repeat(Number(count));
  });
  return { pattern: `^${parts.join('')}$` };
}
