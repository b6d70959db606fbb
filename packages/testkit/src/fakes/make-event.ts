import { describeProblems, type Event, type EventInput, tryParseEvent } from '@leque/protocol';

/** An event as a publisher would have it after its checks. */
export function makeEvent(
  channel: string,
  data: object = {},
  rest: Partial<EventInput> = {},
): Event {
  const parsed = tryParseEvent({ type: 'probe', data, channel, ...rest });
  if (!parsed.ok) throw new Error(describeProblems(parsed.problems));
  return parsed.event;
}
