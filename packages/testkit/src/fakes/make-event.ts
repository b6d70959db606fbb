import { describeProblems, type Event, type EventInput, tryParseEvent } from '@leque/protocol';

/** Makes an event that has passed the checks of a publisher. */
export function makeEvent(
  channel: string,
  data: object = {},
  rest: Partial<EventInput> = {},
): Event {
  const rules = { unaddressed: 'refuse', schemas: 'strict' } as const;
  const parsed = tryParseEvent({ type: 'probe', data, channel, ...rest }, rules);
  if (!parsed.ok) throw new Error(describeProblems(parsed.problems));
  return parsed.event;
}
