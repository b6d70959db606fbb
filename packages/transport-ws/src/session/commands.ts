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

/** Cursors that one command may bring before it counts for more: each may read a history. */
const CURSORS_PER_COMMAND = 16;

const handlers: Handlers = { ping, subscribe, unsubscribe, stats, resume, auth };

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
  try {
    const { action, command } = parseCommand(text);
    const cursors = action === 'resume' ? (command as Command<'resume'>).cursors : {};
    const { project_id, since = '' } = command as Partial<Command<'subscribe'>>;
    const all = project_id === undefined ? cursors : { [projectChannel(project_id)]: since };
    return Object.keys(all).filter((channel) => tryParseCursor(all[channel] ?? '') !== undefined);
  } catch {
    return bringsCursors(text) ? 'unreadable' : [];
  }
}

function ping(target: CommandTarget, { id }: Command<'ping'>): void {
  target.answer('pong', {}, id);
}

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

function unsubscribe(target: CommandTarget, { project_id, id }: Command<'unsubscribe'>): void {
  target.feed.unsubscribe(offeredChannel(target, project_id));
  const message = `Unsubscribed from project ${project_id}`;
  target.answer('unsubscribed', { project_id, message }, id);
}

async function stats(target: CommandTarget, { id }: Command<'stats'>): Promise<void> {
  const all = await target.client.context.state.stats();
  target.answer('stats', visibleStats(target, all), id);
}

async function resume(target: CommandTarget, { cursors, id }: Command<'resume'>): Promise<void> {
  const { client, feed } = target;
  const channels = Object.keys(cursors);
  client.charge(Math.floor(channels.length / CURSORS_PER_COMMAND));
  const selected = channels.filter((channel) => isSelectable(target, channel));
  await feed.turnTo(selected, true);
  const results = await resumeChannels(client.context.telemetry, channels, (channel) =>
    resumeChannel(target, channel, cursors[channel] ?? ''),
  );
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

async function resumeChannel(
  target: CommandTarget,
  channel: string,
  cursor: string,
): Promise<Subscription> {
  const { client, feed } = target;
  const since = tryParseCursor(cursor);
  const isNew = !client.session.subscriptions.has(channel);
  if (isNew && !isSelectable(target, channel)) {
    throw new ProtocolError('forbidden', `this endpoint does not offer ${channel}`);
  }
  const options = since === undefined ? {} : { since };
  const subscription = await client.context.hub.subscribe(client.session, channel, options);
  if (since === undefined) subscription.giveUpRecovery(); // no history reaches back to such a text
  if (isNew) feed.select(channel);
  return subscription;
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
