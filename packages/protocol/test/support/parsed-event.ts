import { type EventRules, tryParseEvent } from '../../src/events/event.ts';

/** Refuses what does not fit its schema, and sends what names nobody to everybody. */
export const RULES: EventRules = { unaddressed: 'all', schemas: 'strict' };

/** The parsed event, with the envelope that clients get of it. */
export function accepted(input: unknown, rules: EventRules = RULES) {
  const parsed = tryParseEvent(input, rules);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return { ...parsed.event, sent: JSON.parse(parsed.event.json) };
}

/** The problems of the event, as `field: message`. */
export function problems(input: unknown, rules: EventRules = RULES): string[] {
  const parsed = tryParseEvent(input, rules);
  if (parsed.ok) throw new Error('not refused');
  return parsed.problems.map(({ field, message }) => `${field}: ${message}`);
}
