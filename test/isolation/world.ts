import { tokenFor } from '@leque/lab';
import { TEST_API_KEY } from '@leque/testkit';

/** Who may do what in the fuzz, written down a second time: nothing here is imported from the code. */
export interface Persona {
  readonly name: string;
  readonly user?: string;
  readonly projects: readonly string[];
  readonly scopes: readonly string[];
  /** Undefined for a caller without credentials. */
  readonly credentials: Readonly<Record<string, string>> | undefined;
  /** Undefined for callers that are no clients. */
  readonly token?: string;
}

export const PROJECTS = ['p0', 'p1', 'p2', 'p3'] as const;
export const USERS = ['u0', 'u1', 'u2', 'u3'] as const;
export const CHANNELS = [
  'all',
  'logs',
  ...PROJECTS.map((id) => `project:${id}`),
  ...USERS.map((id) => `user:${id}`),
];

function member(user: string | undefined, projects: string[], scopes: string[]): Persona {
  const claims = { projects, scope: scopes, ...(user === undefined && { sub: undefined }) };
  const token = tokenFor(user ?? '', claims);
  const name = user ?? `a service of ${projects}`;
  const credentials = { authorization: `Bearer ${token}` };
  return { name, projects, scopes, credentials, token, ...(user !== undefined && { user }) };
}

export const MEMBERS: readonly Persona[] = [
  member('u0', ['p0'], ['publish']),
  member('u1', ['p1', 'p2'], ['publish', 'logs']),
  member('u2', ['*'], ['publish']),
  member('u3', [], []),
  member('ops', [], ['publish:all']),
  member(undefined, ['p3'], ['publish']),
];
const KEY: Persona = {
  name: 'an API key',
  projects: [],
  scopes: ['publish:all'],
  credentials: { 'x-api-key': TEST_API_KEY },
};
const NOBODY: Persona = { name: 'nobody', projects: [], scopes: [], credentials: undefined };
export const CALLERS: readonly Persona[] = [...MEMBERS, KEY, NOBODY];

/** Whether the persona may receive from the channel. */
export function mayRead(persona: Persona, channel: string): boolean {
  if (persona.token === undefined) return false;
  if (channel === 'all') return true;
  if (channel === 'logs') return persona.scopes.includes('logs');
  const [kind, id = ''] = channel.split(':');
  if (kind === 'user') return id === persona.user;
  return persona.projects.includes('*') || persona.projects.includes(id);
}

/** Whether the persona may publish to the channel. */
export function mayWrite(persona: Persona, channel: string): boolean {
  if (persona.scopes.includes('publish:all')) return true;
  const isNamed = channel !== 'all' && channel !== 'logs';
  return persona.scopes.includes('publish') && isNamed && mayRead(persona, channel);
}

export interface SentEvent {
  readonly type: string;
  readonly channel?: string;
  readonly user_id?: string;
  readonly project_id?: string;
  readonly idempotency_key?: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** The fields of `data` that name whom a type is for, in their order. */
const ADDRESSES: Readonly<Record<string, readonly string[]>> = {
  'task.created': ['userId'],
  'task.other': ['userId'],
  story_created: ['project_id'],
  story_moved: ['project_id'],
  notification: ['user_id', 'project_id'],
};

/** The channel that an event goes to by the rules of PROTOCOL.md; undefined when it is refused. */
export function routeOf(event: SentEvent, canBeUnaddressed: boolean): string | undefined {
  const own = ownAddresses(event);
  const named = addressesInData(event);
  const route = event.channel ?? own[0] ?? named[0] ?? fallbackOf(event, canBeUnaddressed);
  if (route === undefined || isForbidden(event.type, route)) return undefined;
  if (own.some((other) => contradicts(other, route))) return undefined;
  const said = withFilledUser([...own, route], event);
  const isTold = named.some((address) => said.some((other) => contradicts(other, address)));
  return isTold ? undefined : route;
}

/** Where nothing else names a user, the envelope gets the one in `data`. */
function withFilledUser(said: string[], { data }: SentEvent): string[] {
  const isNamed = said.some((address) => kindOf(address) === 'user');
  return isNamed || data['user_id'] === undefined ? said : [...said, `user:${data['user_id']}`];
}

function ownAddresses({ user_id, project_id }: SentEvent): string[] {
  return [
    ...(user_id === undefined ? [] : [`user:${user_id}`]),
    ...(project_id === undefined ? [] : [`project:${project_id}`]),
  ];
}

function addressesInData({ type, data }: SentEvent): string[] {
  return (ADDRESSES[type] ?? [])
    .filter((field) => data[field] !== undefined)
    .map((field) => channelOf(field, String(data[field])));
}

function fallbackOf({ type }: SentEvent, canBeUnaddressed: boolean): string | undefined {
  if (type === 'log_message') return 'logs';
  return canBeUnaddressed ? 'all' : undefined;
}

function isForbidden(type: string, route: string): boolean {
  return type.startsWith('task.') && (route === 'all' || route === 'logs');
}

function contradicts(one: string, other: string): boolean {
  return one !== other && kindOf(one) === kindOf(other);
}

function channelOf(field: string, id: string): string {
  return field === 'project_id' ? `project:${id}` : `user:${id}`;
}

function kindOf(channel: string): string | undefined {
  return channel.split(':')[0];
}
