import { isId, tryParseChannel } from '../wire/channel.ts';
import { ID_FIELDS, type IdField, OPTIONAL_FIELDS } from './event-fields.ts';
import { EVENT_DATA } from './event-types.ts';

interface WithIds extends Readonly<Partial<Record<IdField, string>>> {
  readonly data: object;
}

/** The ids that the data of a type requires, and that the event may give in its place. */
const REQUIRED_IDS = new Map(
  Object.entries(EVENT_DATA).map(([type, { required = [] }]) => [
    type,
    ID_FIELDS.filter((id) => (required as readonly string[]).includes(id)),
  ]),
);

/** Drops optional fields that are null. A value that is not an object stays the same. */
export function withoutNulls(sent: unknown): unknown {
  if (typeof sent !== 'object' || sent === null) return sent;
  const fields = sent as Readonly<Record<string, unknown>>;
  if (OPTIONAL_FIELDS.every((name) => fields[name] !== null)) return sent;
  const isLeftOut = (name: string) =>
    fields[name] === null && (OPTIONAL_FIELDS as readonly string[]).includes(name);
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !isLeftOut(name)));
}

/**
 * Repeats ids where clients look for them: those of the channel and of `data` in the event, and
 * those of the event in `data` that requires them. An id that is given stays.
 * @param channel the channel that the event goes to
 */
export function withIds<E extends WithIds>(event: E, type: string, channel: string): E {
  return withIdsInData(withIdsOfData(withIdOfChannel(event, channel)), type);
}

function withIdOfChannel<E extends WithIds>(event: E, channel: string): E {
  const parsed = tryParseChannel(channel);
  if (parsed?.kind !== 'project' && parsed?.kind !== 'user') return event;
  const name = parsed.kind === 'project' ? 'project_id' : 'user_id';
  return event[name] === undefined ? { ...event, [name]: parsed.id } : event;
}

/** A value in data that is not a valid id is left where it is. */
function withIdsOfData<E extends WithIds>(event: E): E {
  const data = event.data as Readonly<Record<string, unknown>>;
  let missing: Partial<Record<IdField, string>> | undefined;
  for (const id of ID_FIELDS) {
    const value = data[id];
    if (event[id] === undefined && isId(value)) missing = { ...missing, [id]: value };
  }
  return missing === undefined ? event : { ...event, ...missing };
}

function withIdsInData<E extends WithIds>(event: E, type: string): E {
  const data = event.data as Readonly<Record<string, unknown>>;
  const missing = (REQUIRED_IDS.get(type) ?? []).filter(
    (id) => data[id] === undefined && event[id] !== undefined,
  );
  if (missing.length === 0) return event;
  const ids = Object.fromEntries(missing.map((id) => [id, event[id]]));
  return { ...event, data: { ...data, ...ids } };
}
