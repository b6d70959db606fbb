import { describeProblems, type Event, type EventInput, tryParseEvent } from '@leque/protocol';

/** Makes an event that has passed the checks of a publisher. */
export function makeEvent(
  channel: string,
  data: object = {},
  rest: Partial<EventInput> = {},
): Event {
  const parsed = tryParseEvent({ type: 'probe', data, channel, ...rest }, 'refuse');
  if (!parsed.ok) throw new Error(describeProblems(parsed.problems));
  return parsed.event;
}
