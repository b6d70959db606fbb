import {
  type Outcome,
  outcomesByGrants,
  type Presented,
  type RefusedGrants,
  type ResumeResults,
} from '@leque/core';
import {
  checkCommand,
  isId,
  MAX_CURSORS,
  namesCursors,
  ProtocolError,
  projectChannel,
  tryReadId,
} from '@leque/protocol';
import { asObject, type CommandTarget } from './command-target.ts';

const NONE_REFUSED: RefusedGrants = new Map();

interface ProjectList {
  readonly project_ids?: unknown;
  readonly since?: unknown;
  /** Covers all projects of the command. */
  readonly grant?: unknown;
  /** Maps projects to grants of their own, which come before `grant`. */
  readonly grants?: ReadonlyMap<string, string>;
}

/** The channels for which a command presents cursors. */
export function presentedBy(name: unknown, sent: unknown): Presented {
  const { project_id, since, projects, cursors } = asObject(sent);
  if (name === 'auth' && cursors !== undefined) {
    return isCursors(cursors) ? Object.keys(cursors) : 'unreadable';
  }
  if (name === 'subscribe.project' && since !== undefined) {
    const id = tryReadId(project_id);
    return id === undefined ? 'unreadable' : [projectChannel(id)];
  }
  if (name !== 'subscribe.projects') return [];
  if (projects !== undefined) return presentedIn(projects);
  if (since === undefined) return [];
  return isCursorMap(since) ? Object.keys(since).map(projectChannel) : 'unreadable';
}

/** The channels for which a list of `{project_id, since}` presents cursors. */
function presentedIn(projects: unknown): Presented {
  try {
    const { since } = listOf('subscribe.projects', { projects });
    return Object.keys(since as object).map(projectChannel);
  } catch {
    return namesCursors(projects) ? 'unreadable' : [];
  }
}

/**
 * Reads the projects that a command names: `project_ids` and `since`, or a list as raw clients send it,
 * `projects: [{project_id, since?}]`.
 * @throws ProtocolError `invalid_command`
 */
function listOf(name: 'subscribe.projects' | 'unsubscribe.projects', sent: unknown): ProjectList {
  const fields = asObject(sent);
  if (fields['projects'] === undefined) return fields;
  const projects: readonly Named[] = checkCommand(name, { projects: fields['projects'] }).projects;
  const since = projects.filter((project) => project.since !== undefined);
  return {
    project_ids: projects.map(({ project_id }) => project_id),
    since: Object.fromEntries(since.map((project) => [project.project_id, project.since])),
    grant: fields['grant'],
    grants: new Map(projects.flatMap(({ project_id: id, grant }) => (grant ? [[id, grant]] : []))),
  };
}

interface Named {
  readonly project_id: string;
  readonly since?: string;
  readonly grant?: string;
}

function isCursors(value: unknown): value is Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((cursor) => typeof cursor === 'string');
}

function isCursorMap(value: unknown): value is Readonly<Record<string, string>> {
  return isCursors(value) && Object.keys(value).every(isId);
}

export async function subscribeProject(target: CommandTarget, sent: unknown): Promise<object> {
  const { project_id, since, grant } = checkCommand('subscribe', asObject(sent));
  const channel = projectChannel(project_id);
  if (grant !== undefined) {
    if (since !== undefined) target.client.grants.bind([channel]);
    await target.client.grants.hold(grant);
  }
  const before = subscribedTo(target, [channel]);
  const { subscription, ended } = await target.feed.subscribe(channel, since);
  noteMoves(target, [[channel, subscription]], before);
  if (since !== undefined) target.endReplay([channel]);
  const message = `Subscribed to project ${project_id}`;
  return { project_id, message, ...subscription.outcome, ...namesOf(ended) };
}

export function unsubscribeProject(target: CommandTarget, sent: unknown): object {
  const { project_id } = checkCommand('unsubscribe', asObject(sent));
  const ended = unsubscribe(target, [projectChannel(project_id)]);
  return { project_id, message: `Unsubscribed from project ${project_id}`, ...namesOf(ended) };
}

/** Subscribes to the named projects, or to all that the token names; each has its own outcome. */
export async function subscribeProjects(target: CommandTarget, sent: unknown): Promise<object> {
  const list = listOf('subscribe.projects', sent);
  const since = cursorsOf(list);
  const channels = namedProjects(target, list).map(projectChannel);
  target.client.charge(channels.length);
  const { grants, grantOf } = grantsIn(list);
  const refused = await holdGrants(target, grants, since);
  const before = subscribedTo(target, channels);
  const cursors = new Map(channels.map((channel) => [channel, since.get(channel)]));
  const { results, ended } = await target.feed.subscribeAll(cursors);
  noteMoves(target, results, before);
  if (since.size > 0) target.endReplay(channels);
  return { channels: outcomesByGrants(results, grantOf, refused), ...namesOf(ended) };
}

/**
 * Reads the grants that a command brings: one for all projects, or for each.
 * @throws ProtocolError `invalid_command`
 */
function grantsIn({ grant, grants: own = new Map() }: ProjectList): GivenGrants {
  const { grant: ofAll } = checkCommand('subscribe', { project_id: 'any', grant });
  const byChannel = new Map([...own].map(([id, each]) => [projectChannel(id), each] as const));
  return {
    grants: [ofAll, ...own.values()].filter(isGiven),
    grantOf: (channel) => byChannel.get(channel) ?? ofAll,
  };
}

interface GivenGrants {
  readonly grants: readonly string[];
  /** Finds the grant for a channel: its own, or that for all. */
  readonly grantOf: (channel: string) => string | undefined;
}

function isGiven(grant: string | undefined): grant is string {
  return grant !== undefined;
}

/** Lets the session hold the grants that a command brings beside cursors. */
export async function holdGrants(
  { client }: Pick<CommandTarget, 'client'>,
  given: readonly string[],
  cursors: ReadonlyMap<string, string>,
): Promise<RefusedGrants> {
  const grants = [...new Set(given)];
  if (grants.length === 0) return NONE_REFUSED;
  client.charge(grants.length);
  client.grants.bind(cursors.keys());
  return await client.grants.holdAll(grants);
}

/** @throws ProtocolError `invalid_command` */
function cursorsOf({ since = {} }: ProjectList): ReadonlyMap<string, string> {
  if (!isCursorMap(since)) {
    throw new ProtocolError(
      'invalid_command',
      'since must be an object of project ids and cursors',
    );
  }
  return new Map(Object.entries(since).map(([id, cursor]) => [projectChannel(id), cursor]));
}

/** Leaves the named projects, or all. */
export function unsubscribeProjects(target: CommandTarget, sent: unknown): object {
  const list = listOf('unsubscribe.projects', sent);
  if (list.project_ids === undefined) {
    const channels = target.feed.unsubscribeAll();
    target.connection.progress?.keepOnly(target.client.session.subscriptions);
    return { channels };
  }
  const channels = namedProjects(target, list).map(projectChannel);
  return { channels, ...namesOf(unsubscribe(target, channels)) };
}

/** @returns the other channels that have ended */
function unsubscribe(
  { feed, client, connection }: CommandTarget,
  channels: readonly string[],
): readonly string[] {
  const ended = feed.unsubscribe(channels);
  for (const channel of channels) connection.progress?.leave(channel);
  connection.progress?.keepOnly(client.session.subscriptions);
  return ended;
}

/** Selects the channels that the session is subscribed to now. */
export function subscribedTo(
  { client: { session } }: CommandTarget,
  channels: Iterable<string> = session.subscriptions.keys(),
): ReadonlySet<string> {
  return new Set([...channels].filter((channel) => session.subscriptions.has(channel)));
}

/**
 * Notes where channels stand that were not subscribed `before`, or were recovered. A subscription that existed
 * keeps its position otherwise; some of it may still be held back.
 */
export function noteMoves(
  { client, connection }: CommandTarget,
  results: ResumeResults,
  before: ReadonlySet<string>,
): void {
  const { subscriptions } = client.session;
  for (const [channel, result] of results) {
    const outcome: Outcome = result.outcome;
    const hasMoved = !before.has(channel) || outcome.recovered === true;
    if (hasMoved && outcome.cursor !== undefined)
      connection.progress?.move(channel, outcome.cursor);
  }
  connection.progress?.keepOnly(subscriptions);
}

function namesOf(ended: readonly string[]): object {
  return ended.length === 0 ? {} : { ended };
}

/** @throws ProtocolError `invalid_command` */
function namedProjects({ client }: CommandTarget, { project_ids }: ProjectList): readonly string[] {
  const { grants } = client.session.identity;
  if (project_ids === undefined && !grants.allProjects) return grants.projects;
  if (project_ids === undefined) {
    const message = 'project_ids is required with a token for all projects';
    throw new ProtocolError('invalid_command', message);
  }
  const ids = isShortList(project_ids) ? project_ids.map(tryReadId) : [undefined];
  if (ids.every((id) => id !== undefined)) return [...new Set(ids)];
  const message = `project_ids must be a list of at most ${MAX_CURSORS} project ids`;
  throw new ProtocolError('invalid_command', message);
}

function isShortList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && value.length <= MAX_CURSORS;
}
