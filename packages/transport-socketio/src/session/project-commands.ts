import {
  type Outcome,
  outcomesOf,
  type Presented,
  resumeChannels,
  type Subscription,
} from '@leque/core';
import {
  checkCommand,
  isId,
  MAX_CURSORS,
  namesCursors,
  ProtocolError,
  projectChannel,
  tryParseCursor,
  tryReadId,
} from '@leque/protocol';
import { asObject, type CommandTarget } from './command-target.ts';

interface ProjectList {
  readonly project_ids?: unknown;
  readonly since?: unknown;
}

/** The channels for which a command presents cursors. */
export function presentedBy(name: unknown, sent: unknown): Presented {
  const { project_id, since, projects } = asObject(sent);
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
  const projects: readonly { project_id: string; since?: string }[] = checkCommand(name, {
    projects: fields['projects'],
  }).projects;
  const since = projects.filter((project) => project.since !== undefined);
  return {
    project_ids: projects.map(({ project_id }) => project_id),
    since: Object.fromEntries(since.map((project) => [project.project_id, project.since])),
  };
}

function isCursorMap(value: unknown): value is Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.entries(value).every(([id, cursor]) => isId(id) && typeof cursor === 'string');
}

export async function subscribeProject(target: CommandTarget, sent: unknown): Promise<object> {
  const { project_id, since } = checkCommand('subscribe', asObject(sent));
  const channel = projectChannel(project_id);
  const isNew = !target.client.session.subscriptions.has(channel);
  const subscription = await target.feed.subscribe(channel, optionsOf(since));
  giveUpWithout(since, subscription);
  const outcome = noteMove(target, { channel, isNew, subscription });
  target.connection.progress?.keepOnly(target.client.session.subscriptions);
  return { project_id, message: `Subscribed to project ${project_id}`, ...outcome };
}

export function unsubscribeProject(target: CommandTarget, sent: unknown): object {
  const { project_id } = checkCommand('unsubscribe', asObject(sent));
  unsubscribe(target, projectChannel(project_id));
  return { project_id, message: `Unsubscribed from project ${project_id}` };
}

/** Subscribes to the named projects, or to all that the token names; each has its own outcome. */
export async function subscribeProjects(target: CommandTarget, sent: unknown): Promise<object> {
  const { client, feed } = target;
  const list = listOf('subscribe.projects', sent);
  const channels = namedProjects(target, list).map(projectChannel);
  const since = cursorsOf(list);
  client.charge(channels.length);
  await feed.turnTo(coveredBy(target, channels), since.size > 0);
  const results = await resumeChannels(client.context.telemetry, channels, async (channel) => {
    const isNew = !client.session.subscriptions.has(channel);
    const cursor = since.get(channel);
    const { hub } = client.context;
    const subscription = await hub.subscribe(client.session, channel, optionsOf(cursor));
    giveUpWithout(cursor, subscription);
    noteMove(target, { channel, isNew, subscription });
    return subscription;
  });
  const subscribed = channels.filter((channel) => client.session.subscriptions.has(channel));
  if (subscribed.length > 0) feed.select(...subscribed);
  target.connection.progress?.keepOnly(client.session.subscriptions);
  return { channels: outcomesOf(results) };
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
  const { session } = target.client;
  const channels =
    list.project_ids === undefined
      ? [...session.subscriptions.keys()].filter((channel) => channel.startsWith('project:'))
      : namedProjects(target, list).map(projectChannel);
  if (list.project_ids === undefined) target.feed.select();
  for (const channel of channels) unsubscribe(target, channel);
  target.connection.progress?.keepOnly(session.subscriptions);
  return { channels };
}

interface Move {
  readonly channel: string;
  readonly isNew: boolean;
  readonly subscription: Subscription;
}

/** An existing subscription keeps its position; some of it may still be held back. */
function noteMove({ connection }: CommandTarget, { channel, isNew, subscription }: Move): Outcome {
  const { outcome } = subscription;
  const hasMoved = isNew || outcome.recovered === true;
  if (hasMoved && outcome.cursor !== undefined) connection.progress?.move(channel, outcome.cursor);
  return outcome;
}

function unsubscribe({ feed, connection }: CommandTarget, channel: string): void {
  feed.unsubscribe(channel);
  connection.progress?.leave(channel);
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

/** What the token does not cover must not end the firehose. */
function coveredBy({ client }: CommandTarget, channels: readonly string[]): readonly string[] {
  return channels.filter((channel) => client.session.identity.grants.covers(channel));
}

function optionsOf(since: unknown) {
  const after = tryParseCursor(String(since));
  return after === undefined ? {} : { since: after };
}

/** Gives up recovery for a `since` that is not a cursor, because no history reaches back to it. */
function giveUpWithout(since: unknown, subscription: Subscription): void {
  const isCursor = tryParseCursor(String(since)) !== undefined;
  if (since !== undefined && !isCursor) subscription.giveUpRecovery();
}
