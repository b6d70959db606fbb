import {
  assertGrantsSuffice,
  type ClientSession,
  type EndpointFeed,
  isoExpiry,
  outcomesOf,
  type Presented,
  resumeChannels,
  type Subscription,
} from '@leque/core';
import {
  type Action,
  bringsCursors,
  type Command,
  ProtocolError,
  parseCommand,
  projectChannel,
  type RequestId,
  type ServerMessage,
  type Stats,
  tryParseChannel,
  tryParseCursor,
} from '@leque/protocol';

/** The session that a command acts on. */
export interface CommandTarget {
  readonly client: ClientSession<string>;
  readonly feed: EndpointFeed;
  answer(type: ServerMessage, data: object, id?: RequestId): void;
}

type Handlers = {
  readonly [A in Action]: (target: CommandTarget, command: Command<A>) => void | Promise<void>;
};

const handlers: Handlers = {
  ping,
  subscribe,
  unsubscribe,
  stats,
  resume,
  auth,
  pong,
  'subscribe.projects': subscribeProjects,
  'unsubscribe.projects': unsubscribeProjects,
};

/** Commands that may overtake those that wait for the pace of the client's commands. */
const URGENT: ReadonlySet<Action> = new Set(['ping', 'pong', 'auth']);
/**
 * Texts that match neither of these are not parsed before their turn, because a parser's error costs
 * more than a command. JSON can write every letter as an escape, `\u0061`.
 */
const MAY_BRING_CURSORS = /resume|cursors|since|\\u/i;
const MAY_BE_URGENT = /ping|pong|auth|\\u/i;

/** @throws ProtocolError that is sent to the client */
export function execute(target: CommandTarget, text: string): void | Promise<void> {
  const { action, command } = parseCommand(text);
  // It was checked under the same action, which the type cannot say.
  const handle = handlers[action] as (
    target: CommandTarget,
    command: Command,
  ) => void | Promise<void>;
  return handle(target, command);
}

/** The channels for which a command presents cursors. */
export function presentedBy(text: string): Presented {
  if (!MAY_BRING_CURSORS.test(text)) return [];
  try {
    const cursors = cursorsOf(parseCommand(text));
    return cursors.filter(([, since]) => tryParseCursor(since) !== undefined).map(([name]) => name);
  } catch {
    return bringsCursors(text) ? 'unreadable' : [];
  }
}

export function isUrgent(text: string): boolean {
  if (!MAY_BE_URGENT.test(text)) return false;
  try {
    return URGENT.has(parseCommand(text).action);
  } catch {
    return false;
  }
}

/** The cursors that a command brings, by channel. */
function cursorsOf({ action, command }: ReturnType<typeof parseCommand>): [string, string][] {
  if (action === 'resume') return Object.entries((command as Command<'resume'>).cursors);
  const { projects } = command as Partial<Command<'subscribe.projects'>>;
  const named = projects ?? [command as Partial<Command<'subscribe'>>];
  return named.flatMap(({ project_id, since }) =>
    project_id === undefined || since === undefined ? [] : [[projectChannel(project_id), since]],
  );
}

function ping(target: CommandTarget, { id }: Command<'ping'>): void {
  target.answer('pong', {}, id);
}

/** Answers a heartbeat: the frame itself has shown that the client is alive. */
function pong(): void {}

async function subscribe(target: CommandTarget, command: Command<'subscribe'>): Promise<void> {
  const { project_id, since, id } = command;
  const channel = offeredChannel(target, project_id);
  const after = tryParseCursor(since ?? '');
  const options = after === undefined ? {} : { since: after };
  const subscription = await target.feed.subscribe(channel, options);
  if (since !== undefined && after === undefined) subscription.giveUpRecovery();
  const message = `Subscribed to project ${project_id}`;
  target.answer('subscribed', { project_id, message, ...subscription.outcome }, id);
  subscription.start();
}

/** Subscribes to several projects; each has its own outcome. */
async function subscribeProjects(
  target: CommandTarget,
  { projects, id }: Command<'subscribe.projects'>,
): Promise<void> {
  const { client, feed } = target;
  const cursors = channelsOf(projects);
  const channels = [...cursors.keys()];
  client.charge(channels.length);
  const covered = channels.filter((channel) => isSelectable(target, channel));
  const bringsCursor = projects.some(({ since }) => since !== undefined);
  await feed.turnTo(covered, bringsCursor);
  const results = await resumeChannels(client.context.telemetry, channels, (channel) =>
    resumeChannel(target, channel, cursors.get(channel)),
  );
  const { subscriptions } = client.session;
  const subscribed = channels.filter((channel) => subscriptions.has(channel));
  if (subscribed.length > 0) feed.select(...subscribed);
  const message = `Subscribed to ${subscribed.length} of ${channels.length} projects`;
  target.answer('subscribed', { message, channels: outcomesOf(results) }, id);
}

function unsubscribe(target: CommandTarget, { project_id, id }: Command<'unsubscribe'>): void {
  target.feed.unsubscribe(offeredChannel(target, project_id));
  const message = `Unsubscribed from project ${project_id}`;
  target.answer('unsubscribed', { project_id, message }, id);
}

function unsubscribeProjects(
  target: CommandTarget,
  { projects, id }: Command<'unsubscribe.projects'>,
): void {
  const channels = projects.map(({ project_id }) => offeredChannel(target, project_id));
  for (const channel of channels) target.feed.unsubscribe(channel);
  const message = `Unsubscribed from ${channels.length} projects`;
  target.answer('unsubscribed', { message, channels }, id);
}

async function stats(target: CommandTarget, { id }: Command<'stats'>): Promise<void> {
  const all = await target.client.context.state.stats();
  target.answer('stats', visibleStats(target, all), id);
}

async function resume(target: CommandTarget, { cursors, id }: Command<'resume'>): Promise<void> {
  const { client, feed } = target;
  const channels = Object.keys(cursors);
  client.charge(channels.length);
  const selected = channels.filter((channel) => isSelectable(target, channel));
  await feed.turnTo(selected, true);
  const results = await resumeChannels(client.context.telemetry, channels, async (channel) => {
    const isNew = !client.session.subscriptions.has(channel);
    const subscription = await resumeChannel(target, channel, cursors[channel] ?? '');
    if (isNew) feed.select(channel);
    return subscription;
  });
  target.answer('resumed', { channels: outcomesOf(results) }, id);
}

async function auth(target: CommandTarget, { token, id }: Command<'auth'>): Promise<void> {
  const { client, feed } = target;
  const identity = await client.context.verifier.verify(token);
  // All or nothing: a client whose channel is taken away would miss events without knowing it.
  assertGrantsSuffice(identity, feed.endpoint, client.context);
  await feed.renew(identity);
  const answer = { user_id: identity.userId, expires_at: isoExpiry(identity) };
  target.answer('authenticated', answer, id);
}

/** @param cursor undefined when nothing is to be recovered */
async function resumeChannel(
  target: CommandTarget,
  channel: string,
  cursor: string | undefined,
): Promise<Subscription> {
  const { session, context } = target.client;
  if (!session.subscriptions.has(channel) && !isSelectable(target, channel)) {
    throw new ProtocolError('forbidden', `this endpoint does not offer ${channel}`);
  }
  const since = tryParseCursor(cursor ?? '');
  const options = since === undefined ? {} : { since };
  const subscription = await context.hub.subscribe(session, channel, options);
  // No history reaches back to a text that is no cursor.
  if (cursor !== undefined && since === undefined) subscription.giveUpRecovery();
  return subscription;
}

/**
 * The cursors of the projects that a command names, by channel.
 * @throws ProtocolError for a project that is named twice, because one of its cursors would be dropped
 */
function channelsOf(
  projects: Command<'subscribe.projects'>['projects'],
): ReadonlyMap<string, string | undefined> {
  const cursors = new Map<string, string | undefined>();
  for (const { project_id, since } of projects) {
    const channel = projectChannel(project_id);
    if (cursors.has(channel)) {
      throw new ProtocolError('invalid_command', `projects names ${project_id} twice`);
    }
    cursors.set(channel, since);
  }
  return cursors;
}

function offeredChannel({ feed }: CommandTarget, projectId: string): string {
  if (feed.endpoint.offers(projectId)) return projectChannel(projectId);
  throw new ProtocolError('forbidden', 'this endpoint does not offer that project');
}

/** A channel that a client resumes without being subscribed to it can only be a project it selects. */
function isSelectable({ feed }: CommandTarget, channel: string): boolean {
  const parsed = tryParseChannel(channel);
  return parsed?.kind === 'project' && feed.endpoint.offers(parsed.id);
}

/** A session without the right to statistics sees the projects of its own grants, and no totals. */
function visibleStats({ client }: CommandTarget, all: Stats): Partial<Stats> {
  const { grants } = client.session.identity;
  if (grants.has('stats')) return all;
  const visible = Object.entries(all.connections_per_project).filter(([projectId]) =>
    grants.coversProject(projectId),
  );
  return { active_projects: visible.length, connections_per_project: Object.fromEntries(visible) };
}
