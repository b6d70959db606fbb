import { tryParseChannel } from '../wire/channel.ts';
import { EVENT_DATA } from './event-types.ts';

/** Publishers in languages without an undefined write null for what they leave out. */
const MAY_BE_NULL = [
  'type',
  'event_type',
  'project_id',
  'user_id',
  'story_id',
  'channel',
  'message_id',
  'timestamp',
  'idempotency_key',
  'traceparent',
] as const;

const IDS = ['project_id', 'user_id', 'story_id'] as const;

interface WithIds extends Partial<Readonly<Record<(typeof IDS)[number] | 'channel', string>>> {
  readonly data: object;
}

/** The ids that the data of a type has to have, and that the event may say in its place. */
const IDS_IN_DATA = new Map(
  Object.entries(EVENT_DATA).map(([type, { required = [] }]) => [
    type,
    IDS.filter((id) => (required as readonly string[]).includes(id)),
  ]),
);

/** A field that is null counts as left out; anything that is no object stays what it is. */
export function withoutNulls(sent: unknown): unknown {
  if (typeof sent !== 'object' || sent === null) return sent;
  const fields = sent as Readonly<Record<string, unknown>>;
  if (MAY_BE_NULL.every((name) => fields[name] !== null)) return sent;
  const isLeftOut = (name: string) =>
    fields[name] === null && (MAY_BE_NULL as readonly string[]).includes(name);
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !isLeftOut(name)));
}

/** Repeats ids where clients look for them: the channel's in the event, the event's in its data. */
export function withIds<E extends WithIds>(event: E, type: string): E {
  const complete = withIdOfChannel(event);
  const data = complete.data as Readonly<Record<string, unknown>>;
  const missing = (IDS_IN_DATA.get(type) ?? []).filter(
    (id) => data[id] === undefined && complete[id] !== undefined,
  );
  if (missing.length === 0) return complete;
  const ids = Object.fromEntries(missing.map((id) => [id, complete[id]]));
  return { ...complete, data: { ...data, ...ids } };
}

function withIdOfChannel<E extends WithIds>(event: E): E {
  const channel = event.channel === undefined ? undefined : tryParseChannel(event.channel);
  if (channel?.kind !== 'project' && channel?.kind !== 'user') return event;
  const name = channel.kind === 'project' ? 'project_id' : 'user_id';
  return event[name] === undefined ? { ...event, [name]: channel.id } : event;
}
