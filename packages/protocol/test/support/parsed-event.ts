import { tryParseEvent } from '../../src/events/event.ts';

/** The parsed event, with the envelope that clients get of it. */
export function accepted(input: unknown) {
  const parsed = tryParseEvent(input, 'all');
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return { ...parsed.event, sent: JSON.parse(parsed.event.json) };
}

/** The problems of the event, as `field: message`. */
export function problems(input: unknown): string[] {
  const parsed = tryParseEvent(input, 'all');
  if (parsed.ok) throw new Error('not refused');
  return parsed.problems.map(({ field, message }) => `${field}: ${message}`);
}
