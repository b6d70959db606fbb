import {
  announceCaughtUp,
  type ClientSession,
  type EndpointFeed,
  isoExpiry,
  outcomesByGrants,
  outcomesOf,
  type Presented,
  type RefusedGrants,
  refusedFields,
  standingOf,
} from '@leque/core';
import {
  type Action,
  bringsCursors,
  type Command,
  grantsOf,
  ProtocolError,
  parseCommand,
  projectChannel,
  type RequestId,
  type ServerMessage,
  type Stats,
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

const NONE_REFUSED: RefusedGrants = new Map();

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
  const { action, command, ignored } = parseCommand(text);
  // It was checked under the same action, which the type cannot say.
  const handle = handlers[action] as (
    target: CommandTarget,
    command: Command,
  ) => void | Promise<void>;
  return handle(ignored.length === 0 ? target : new NamingTarget(target, ignored), command);
}

/** Names the fields that were ignored in the answer of a command, which is the first that it sends. */
class NamingTarget implements CommandTarget {
  readonly #target: CommandTarget;
  #ignored: readonly string[] | undefined;

  constructor(target: CommandTarget, ignored: readonly string[]) {
    this.#target = target;
    this.#ignored = ignored;
  }

  get client(): ClientSession<string> {
    return this.#target.client;
  }

  get feed(): EndpointFeed {
    return this.#target.feed;
  }

  answer(type: ServerMessage, data: object, id?: RequestId): void {
    const ignored = this.#ignored;
    this.#ignored = undefined;
    this.#target.answer(type, ignored === undefined ? data : { ...data, ignored }, id);
  }
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
function cursorsOf({ command }: ReturnType<typeof parseCommand>): [string, string][] {
  const { cursors } = command as Partial<Command<'resume'>>;
  if (cursors !== undefined) return Object.entries(cursors);
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
  const { project_id, since, grant, id } = command;
  const channel = projectChannel(project_id);
  if (grant !== undefined) {
    if (since !== undefined) target.client.grants.bind([channel]);
    await target.client.grants.hold(grant);
  }
  const { subscription, ended } = await target.feed.subscribe(channel, since);
  const message = `Subscribed to project ${project_id}`;
  const data = { project_id, message, ...subscription.outcome, ...namesOf({ ended }) };
  target.answer('subscribed', data, id);
  if (since !== undefined) endReplay(target, [channel], id);
}

/** Subscribes to several projects; each has its own outcome. */
async function subscribeProjects(
  target: CommandTarget,
  command: Command<'subscribe.projects'>,
): Promise<void> {
  const { projects, id } = command;
  const cursors = channelsOf(projects);
  const grants = grantsOf(command);
  target.client.charge(cursors.size);
  const refused = await holdGrants(target, grants, cursors);
  const { results, subscribed, ended } = await target.feed.subscribeAll(cursors);
  const message = `Subscribed to ${subscribed.length} of ${cursors.size} projects`;
  const channels = outcomesByGrants(results, grantByChannel(command), refused);
  const data = { message, channels, ...namesOf({ ended }) };
  target.answer('subscribed', data, id);
  if (projects.some(({ since }) => since !== undefined)) {
    endReplay(target, cursors.keys(), id);
  }
}

function unsubscribe(target: CommandTarget, { project_id, id }: Command<'unsubscribe'>): void {
  const ended = target.feed.unsubscribe([projectChannel(project_id)]);
  const message = `Unsubscribed from project ${project_id}`;
  target.answer('unsubscribed', { project_id, message, ...namesOf({ ended }) }, id);
}

function unsubscribeProjects(
  target: CommandTarget,
  { projects, id }: Command<'unsubscribe.projects'>,
): void {
  const channels = projects.map(({ project_id }) => projectChannel(project_id));
  const ended = target.feed.unsubscribe(channels);
  const message = `Unsubscribed from ${channels.length} projects`;
  target.answer('unsubscribed', { message, channels, ...namesOf({ ended }) }, id);
}

async function stats(target: CommandTarget, { id }: Command<'stats'>): Promise<void> {
  const all = await target.client.context.state.stats();
  target.answer('stats', visibleStats(target, all), id);
}

async function resume(target: CommandTarget, command: Command<'resume'>): Promise<void> {
  const { cursors, grants = [], id } = command;
  const presented = new Map(Object.entries(cursors));
  target.client.charge(presented.size);
  const refused = await holdGrants(target, grants, presented);
  const results = await target.feed.resume(presented);
  const data = { channels: outcomesOf(results), ...refusedFields(grants, refused) };
  target.answer('resumed', data, id);
  endReplay(target, presented.keys(), id);
}

async function auth(target: CommandTarget, command: Command<'auth'>): Promise<void> {
  const { client, feed } = target;
  const { token, cursors = {}, grants = [], id } = command;
  const presented = new Map(Object.entries(cursors));
  client.charge(presented.size);
  const identity = await client.context.verifier.verify(token);
  // Before the token counts: a room that only a grant covers from now on goes on without a break.
  const refused = await holdGrants(target, grants, presented);
  const { ended, results } = await feed.renew(identity, presented);
  const answer = {
    user_id: identity.userId,
    expires_at: isoExpiry(identity),
    ...standingOf(client.session),
    ...namesOf({ ended }),
    ...(presented.size > 0 && { channels: outcomesOf(results) }),
    ...refusedFields(grants, refused),
  };
  target.answer('authenticated', answer, id);
  if (presented.size > 0) endReplay(target, presented.keys(), id);
}

/** Ends what a command with cursors brings; other clients do not know the message. */
function endReplay(
  target: CommandTarget,
  presented: Iterable<string>,
  id: RequestId | undefined,
): void {
  announceCaughtUp(target.client, presented, (channels) => {
    target.answer('caught_up', { channels }, id);
  });
}

/** Lets the session hold the grants that a command brings beside cursors. */
async function holdGrants(
  { client }: CommandTarget,
  grants: readonly string[],
  cursors: ReadonlyMap<string, string | undefined>,
): Promise<RefusedGrants> {
  if (grants.length === 0) return NONE_REFUSED;
  client.charge(grants.length);
  client.grants.bind([...cursors.keys()].filter((channel) => cursors.get(channel) !== undefined));
  return await client.grants.holdAll(grants);
}

/** Finds the grant that a command brings for a channel: its own, or that for all. */
function grantByChannel({ projects, grant: ofAll }: Command<'subscribe.projects'>) {
  const own = projects.map(({ project_id, grant }) => [projectChannel(project_id), grant] as const);
  const byChannel = new Map(own);
  return (channel: string) => byChannel.get(channel) ?? ofAll;
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

/** The channels that have ended beside those that the command names, if there are any. */
function namesOf(names: { readonly ended: readonly string[] }): object {
  return names.ended.length === 0 ? {} : names;
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
