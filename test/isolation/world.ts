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
  /** The channels that grants have opened to a connection. */
  readonly held?: ReadonlySet<string>;
}

/** Ids that are each other's traps: numbers, encodings of one another, and parts of names and keys. */
export const PROJECTS = ['p0', '42', 'a/{b} %7C', 'a%2F{b} %257C'] as const;
export const USERS = ['u0', 'auth0|1', 'auth0%7C1', 'jose\u0301'] as const;
const [, NUMBER, ODD, ODD_ENCODED] = PROJECTS;
const [U0, AUTH0, AUTH0_ENCODED, DECOMPOSED] = USERS;
export const CHANNELS = [
  'all',
  'logs',
  ...PROJECTS.map((id) => channelFor('project', id)),
  ...USERS.map((id) => channelFor('user', id)),
];

function member(user: string | undefined, projects: string[], scopes: string[]): Persona {
  const claims = { projects, scope: scopes, ...(user === undefined && { sub: undefined }) };
  const token = tokenFor(user ?? '', claims);
  const name = user ?? `a service of ${projects}`;
  const credentials = { authorization: `Bearer ${token}` };
  return { name, projects, scopes, credentials, token, ...(user !== undefined && { user }) };
}

export const MEMBERS: readonly Persona[] = [
  member(U0, ['p0'], ['publish']),
  member(AUTH0, [NUMBER, ODD], ['publish', 'logs']),
  member(AUTH0_ENCODED, ['*'], ['publish']),
  member(DECOMPOSED, [], []),
  member('ops', [], ['publish:all']),
  member('usher', [], ['grant']),
  member(undefined, [ODD_ENCODED], ['publish']),
];
const KEY: Persona = {
  name: 'an API key',
  projects: [],
  scopes: ['publish:all', 'grant'],
  credentials: { 'x-api-key': TEST_API_KEY },
};
const NOBODY: Persona = { name: 'nobody', projects: [], scopes: [], credentials: undefined };
export const CALLERS: readonly Persona[] = [...MEMBERS, KEY, NOBODY];

/** The name of a channel, encoded byte by byte. */
export function channelFor(kind: 'project' | 'user', id: unknown): string {
  const bytes = [...Buffer.from(String(id)).toString('latin1')];
  const encoded = bytes.map((byte) =>
    /[A-Za-z0-9._~:@+-]/.test(byte)
      ? byte
      : `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
  return `${kind}:${encoded.join('')}`;
}

/** Whether the persona may receive from the channel. */
export function mayRead(persona: Persona, channel: string): boolean {
  if (persona.token === undefined) return false;
  if (channel === 'all') return true;
  if (channel === 'logs') return persona.scopes.includes('logs');
  if (kindOf(channel) === 'user') return channel === channelFor('user', persona.user ?? '');
  const named = persona.projects.map((id) => channelFor('project', id));
  if (persona.held?.has(channel)) return true;
  return persona.projects.includes('*') || named.includes(channel);
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
  readonly user_id?: string | number;
  readonly project_id?: string | number;
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
  return isNamed || data['user_id'] === undefined
    ? said
    : [...said, channelFor('user', data['user_id'])];
}

function ownAddresses({ user_id, project_id }: SentEvent): string[] {
  return [
    ...(user_id === undefined ? [] : [channelFor('user', user_id)]),
    ...(project_id === undefined ? [] : [channelFor('project', project_id)]),
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
  return channelFor(field === 'project_id' ? 'project' : 'user', id);
}

function kindOf(channel: string): string | undefined {
  return channel.split(':')[0];
}
