import { ALL, LOGS, type ParsedChannel, projectChannel, userChannel } from '../wire/channel.ts';
import { ID_RULE, tryReadId } from '../wire/id.ts';
import type { Problem } from '../wire/problems.ts';
import { EVENT_DATA, userTypeOf } from './event-types.ts';

/** What happens to an event that names nobody: it goes to everybody, or it is refused. */
export type UnaddressedPolicy = 'all' | 'refuse';

type AddressId = 'user_id' | 'project_id';

/** A field of `data` that says whom an event is for, as the event's own field `id` does. */
export interface Address {
  readonly name: string;
  readonly id: AddressId;
}

/** The fields of `data` that address an event of a known type whose schema names them, first one first. */
const ADDRESS_FIELDS: readonly Address[] = [
  { name: 'userId', id: 'user_id' },
  { name: 'user_id', id: 'user_id' },
  { name: 'project_id', id: 'project_id' },
];

/** The addresses of types for one user that have no schema. */
export const USER_TYPE_ADDRESSES: readonly Address[] = ADDRESS_FIELDS.slice(0, 1);

const NONE: readonly never[] = [];

/** By known type, the fields of its `data` that address an event. */
export const EVENT_ADDRESSES: ReadonlyMap<string, readonly Address[]> = new Map(
  Object.entries(EVENT_DATA).map(([type, { properties }]) => [
    type,
    ADDRESS_FIELDS.filter(({ name }) => Object.hasOwn(properties, name)),
  ]),
);

/**
 * The problems that keep the ids in `data` of a known type from being addresses. They count whatever
 * becomes of other fields that do not fit the schema: the event would miss whom it names.
 * @param isRouted whether the event says by itself where it goes, so that `data` need not
 */
export function addressIdProblems(
  type: string,
  data: object,
  isRouted: boolean,
): readonly Problem[] {
  const addresses = EVENT_ADDRESSES.get(type) ?? NONE;
  const wrong = addresses.filter(({ name }) => isWrongId(data, name));
  if (wrong.length > 0 || isRouted) {
    return wrong.map(({ name }) => ({ field: `data.${name}`, message: `must be ${ID_RULE}` }));
  }
  const required: readonly string[] = EVENT_DATA[type as keyof typeof EVENT_DATA]?.required ?? NONE;
  return addresses
    .filter(({ name }) => required.includes(name))
    .map(({ name }) => ({ field: `data.${name}`, message: 'is required' }));
}

function isWrongId(data: object, name: string): boolean {
  const value = (data as Readonly<Record<string, unknown>>)[name] ?? undefined;
  return value !== undefined && tryReadId(value) === undefined;
}

interface Addressed extends Readonly<Partial<Record<AddressId | 'channel', string>>> {
  readonly data: object;
}

/** The channel of an event; undefined when the event names nobody. Ids in it are not checked. */
export function routeOf(event: Addressed, type: string): string | undefined {
  if (event.channel !== undefined) return event.channel;
  if (event.user_id !== undefined) return userChannel(event.user_id);
  if (event.project_id !== undefined) return projectChannel(event.project_id);
  for (const { name, id } of addressesOf(type)) {
    const value = idIn(event.data, name);
    if (value !== undefined) return id === 'user_id' ? userChannel(value) : projectChannel(value);
  }
  return type === 'log_message' ? LOGS : undefined;
}

/** The problem of an event that names nobody; undefined when it may go to everybody. */
export function unaddressedProblem(type: string, policy: UnaddressedPolicy): Problem | undefined {
  const userType = userTypeOf(type);
  if (userType !== undefined) {
    return { field: 'user_id', message: `is required, because ${userType} is for one user` };
  }
  if (policy === 'all') return undefined;
  return {
    field: 'channel',
    message: 'is required for an event that names nobody: "all" for everybody, or give an id',
  };
}

/**
 * Contradictions between the channel of an event, its ids and those in its `data`.
 * @param event completed with the ids of its channel
 * @param parsed the event's channel; undefined when its name is wrong
 */
export function addressProblems(
  event: Addressed,
  type: string,
  parsed: ParsedChannel | undefined,
): readonly Problem[] {
  const named = parsed?.kind === 'user' || parsed?.kind === 'project';
  const own: AddressId = parsed?.kind === 'user' ? 'user_id' : 'project_id';
  if (named && event[own] !== parsed.id) {
    return [{ field: own, message: 'differs from the id in channel' }];
  }
  if (parsed?.kind === ALL || parsed?.kind === LOGS) {
    const userType = userTypeOf(type);
    if (userType !== undefined) {
      return [{ field: 'channel', message: `must not be ${parsed.kind} for ${userType}` }];
    }
  }
  const addresses = addressesOf(type);
  if (addresses.length === 0) return NONE;
  return addresses
    .filter(({ name, id }) => differs(event[id], idIn(event.data, name)))
    .map(({ name, id }) => ({ field: `data.${name}`, message: `differs from ${id}` }));
}

function differs(own: string | undefined, inData: string | undefined): boolean {
  return own !== undefined && inData !== undefined && own !== inData;
}

function addressesOf(type: string): readonly Address[] {
  return EVENT_ADDRESSES.get(type) ?? (userTypeOf(type) ? USER_TYPE_ADDRESSES : NONE);
}

function idIn(data: object, name: string): string | undefined {
  return tryReadId((data as Readonly<Record<string, unknown>>)[name]);
}
