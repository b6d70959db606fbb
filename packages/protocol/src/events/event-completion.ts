import type { ParsedChannel } from '../wire/channel.ts';
import { tryReadId } from '../wire/id.ts';
import { ID_FIELDS, type IdField, OPTIONAL_FIELDS } from './event-fields.ts';
import { EVENT_DATA } from './event-types.ts';

interface WithIds extends Readonly<Partial<Record<IdField, string>>> {
  readonly data: object;
}

const NONE: readonly never[] = [];

/** The ids that the data of a type requires, and that the event may give in its place. */
const REQUIRED_IDS: ReadonlyMap<string, readonly IdField[]> = new Map(
  Object.entries(EVENT_DATA).map(([type, { required = [] }]) => [
    type,
    ID_FIELDS.filter((id) => (required as readonly string[]).includes(id)),
  ]),
);

/** Drops optional fields that are null. A value that is not an object stays the same. */
export function withoutNulls(sent: unknown): unknown {
  if (typeof sent !== 'object' || sent === null) return sent;
  const fields = sent as Readonly<Record<string, unknown>>;
  for (const name in fields) if (isLeftOut(fields, name)) return withoutLeftOut(fields);
  return sent;
}

function isLeftOut(fields: Readonly<Record<string, unknown>>, name: string): boolean {
  return fields[name] === null && (OPTIONAL_FIELDS as readonly string[]).includes(name);
}

function withoutLeftOut(fields: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !isLeftOut(fields, name)));
}

/**
 * Repeats ids where clients look for them: those of the channel and of `data` in the event, and
 * those of the event in `data` that requires them. An id that is given stays.
 * @param channel the channel that the event goes to; undefined when its name is wrong
 */
export function withIds<E extends WithIds>(
  event: E,
  type: string,
  channel: ParsedChannel | undefined,
): E {
  return withIdsInData(withIdsOfData(withIdOfChannel(event, channel)), type);
}

function withIdOfChannel<E extends WithIds>(event: E, parsed: ParsedChannel | undefined): E {
  if (parsed?.kind !== 'project' && parsed?.kind !== 'user') return event;
  const name = parsed.kind === 'project' ? 'project_id' : 'user_id';
  return event[name] === undefined ? { ...event, [name]: parsed.id } : event;
}

/** A value in data that is not a valid id is left where it is. */
function withIdsOfData<E extends WithIds>(event: E): E {
  const data = event.data as Readonly<Record<string, unknown>>;
  let missing: Partial<Record<IdField, string>> | undefined;
  for (const id of ID_FIELDS) {
    if (event[id] !== undefined) continue;
    const value = tryReadId(data[id]);
    if (value !== undefined) missing = { ...missing, [id]: value };
  }
  return missing === undefined ? event : { ...event, ...missing };
}

function withIdsInData<E extends WithIds>(event: E, type: string): E {
  const required = REQUIRED_IDS.get(type) ?? NONE;
  if (required.length === 0) return event;
  const data = event.data as Readonly<Record<string, unknown>>;
  const missing = required.filter((id) => data[id] === undefined && event[id] !== undefined);
  if (missing.length === 0) return event;
  const ids = Object.fromEntries(missing.map((id) => [id, event[id]]));
  return { ...event, data: { ...data, ...ids } };
}
