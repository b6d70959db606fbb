import {
  type EndpointFeed,
  type ResumeResults,
  resumeChannels,
  type Session,
  type Subscription,
} from '@leque/core';
import {
  ALL,
  FIREHOSE,
  type Position,
  ProtocolError,
  toCursor,
  tryParseChannel,
  tryParseCursor,
  userChannel,
} from '@leque/protocol';
import type { SocketIoContext } from '../context.ts';
import { ExpectedTails } from '../recovery/expected-tails.ts';
import { advancedTo, newerCursors } from '../recovery/newer-positions.ts';
import { Progress } from '../recovery/progress.ts';
import type { CarriedState } from '../recovery/recovery-ids.ts';
import { MAX_POSITIONS } from '../wire/offset.ts';
import { cursorsOf } from './cursors.ts';
import type { SocketIoConnection } from './socketio-connection.ts';

type Cursors = Readonly<Record<string, string>>;

/** How a session started. */
export interface SessionStart {
  /** The state with which the client may come back; undefined where it cannot. */
  readonly pid: string | undefined;
  /** The socket's id in the state that was recovered. */
  readonly sid: string | undefined;
  /** Undefined for a client that did not present a state. */
  readonly recovered: boolean | undefined;
  /** The results of the client's `auth.cursors`. */
  readonly results: ResumeResults;
}

export interface SessionStartDeps {
  readonly session: Session;
  /** The projects that the client gets without naming them. */
  readonly feed: EndpointFeed;
  readonly connection: SocketIoConnection;
  readonly context: SocketIoContext;
  /** The socket's id, unless it gets back an earlier one. */
  readonly sid: string;
}

/**
 * Subscribes a session to its first channels, before its client learns that it is connected: to
 * those of the state that the client has lost when all of it can be recovered, else to new ones.
 * @throws ProtocolError `unavailable`: the client should come back, and keep its state
 */
export async function startSession(
  auth: Readonly<Record<string, unknown>>,
  deps: SessionStartDeps,
): Promise<SessionStart> {
  const cursors = cursorsOf(auth);
  const carried = deps.connection.hasOffsets
    ? deps.context.recovery?.read(auth, userIdOf(deps))
    : undefined;
  const lost = carried && advancedTo(cursors, carried);
  if (lost !== undefined && (await recover(deps, lost))) return continueWith(deps, lost, cursors);
  const start = await startAnew(deps, newerCursors(cursors, carried));
  return { ...start, recovered: auth['pid'] === undefined ? undefined : false };
}

/** Recovers all channels of the state, or none. */
async function recover(deps: SessionStartDeps, lost: CarriedState): Promise<boolean> {
  const { session, connection, context } = deps;
  connection.progress = Progress.of(lost);
  const settled = await Promise.allSettled(
    [...lost.positions]
      .filter((entry): entry is [string, Position] => entry[1] !== undefined)
      .map(([channel, since]) => subscribe(deps, channel, since)),
  );
  const unavailable = settled.find(
    (each) => each.status === 'rejected' && isUnavailable(each.reason),
  );
  if (unavailable?.status === 'rejected') throw unavailable.reason;
  if (settled.every((each) => each.status === 'fulfilled' && each.value.recovered)) return true;
  connection.progress = undefined;
  for (const channel of [...session.subscriptions.keys()]) {
    context.hub.unsubscribe(session, channel);
  }
  return false;
}

async function continueWith(
  deps: SessionStartDeps,
  lost: CarriedState,
  cursors: Cursors,
): Promise<SessionStart> {
  const { session, connection } = deps;
  const { pid, sid, positions } = lost;
  const asked = Object.keys(cursors).filter((channel) => positions.get(channel) === undefined);
  const unknown = [...new Set([...asked, ...givenAfresh(deps, lost)])];
  const refused = (await resume(deps, unknown, cursors)).filter(
    ([channel]) => !session.subscriptions.has(channel),
  );
  for (const [channel, { position }] of subscribed(session, unknown)) {
    if (position !== undefined) connection.progress?.move(channel, toCursor(position));
  }
  await subscribeMissing(deps, [ALL]);
  deps.feed.continueWith([...session.subscriptions.keys()], hasSelected(deps, lost));
  const results = [...refused, ...subscribed(session, Object.keys(cursors))];
  return { pid, sid, recovered: true, results };
}

async function startAnew(deps: SessionStartDeps, cursors: Cursors): Promise<SessionStart> {
  const { session, connection, context, sid } = deps;
  const own = [userChannel(userIdOf(deps)), ALL];
  const named = deps.feed.endpoint.channels(session.identity).filter((each) => each !== FIREHOSE);
  const channels = [...new Set([...own, ...named, ...Object.keys(cursors)])];
  const results = await resumeAnew(deps, channels, cursors);
  await subscribeMissing(deps, own);
  deps.feed.continueWith(channels);
  await deps.feed.open();
  const base = new Map<string, Position>();
  for (const [channel, { position }] of subscribed(session, channels)) {
    if (position !== undefined) base.set(channel, position);
  }
  // The firehose has no positions, so a client that gets it cannot recover by itself.
  const recoverable = connection.hasOffsets && !session.subscriptions.has(FIREHOSE);
  const issued = recoverable ? context.recovery?.issue(sid, base) : undefined;
  if (issued !== undefined) connection.progress = new Progress(issued.id, base.keys());
  const asked = Object.keys(cursors).length > 0 ? results : [];
  return { pid: issued?.pid, sid: undefined, recovered: undefined, results: asked };
}

/** Counts the tails of a session that gets a `pid`, which is made of where the resume ends. */
async function resumeAnew(
  deps: SessionStartDeps,
  channels: readonly string[],
  cursors: Cursors,
): Promise<ResumeResults> {
  const { connection } = deps;
  const getsPid = connection.hasOffsets && channels.length <= MAX_POSITIONS;
  const positions = channels.map((channel) => [channel, cursors[channel] ?? ''] as const);
  connection.expected = getsPid ? new ExpectedTails(positions) : undefined;
  try {
    return await resume(deps, channels, cursors);
  } finally {
    connection.expected = undefined;
  }
}

/** These failures refuse the client, which would miss events without knowing it. */
async function subscribeMissing(
  { session, context }: SessionStartDeps,
  channels: readonly string[],
): Promise<void> {
  for (const channel of channels) {
    if (!session.subscriptions.has(channel)) await context.hub.subscribe(session, channel);
  }
}

/** Lists channels that the state does not name: `all`, and projects that were granted meanwhile. */
function givenAfresh(deps: SessionStartDeps, lost: CarriedState): readonly string[] {
  const given = deps.feed.endpoint.channels(deps.session.identity);
  const projects = hasSelected(deps, lost) ? [] : given;
  return [ALL, ...projects].filter(
    (channel) => !lost.positions.has(channel) || lost.ended.has(channel),
  );
}

/** The firehose has no positions, so a state that was recovered goes on without it. */
function hasSelected(
  { feed, session }: SessionStartDeps,
  { positions, ended }: CarriedState,
): boolean {
  const left = [...positions].filter(([channel, at]) => at === undefined && !ended.has(channel));
  const hasLeft = left.some(([channel]) => isProject(channel));
  return hasLeft || feed.endpoint.channels(session.identity).includes(FIREHOSE);
}

function isProject(channel: string): boolean {
  return tryParseChannel(channel)?.kind === 'project';
}

async function resume(
  deps: SessionStartDeps,
  channels: readonly string[],
  cursors: Cursors,
): Promise<ResumeResults> {
  const results = await resumeChannels(deps.context.telemetry, channels, async (channel) => {
    const cursor = cursors[channel];
    const since = cursor === undefined ? undefined : tryParseCursor(cursor);
    const subscription = await subscribe(deps, channel, since);
    if (cursor !== undefined && since === undefined) subscription.giveUpRecovery();
    return subscription;
  });
  if (deps.session.open) return results;
  throw new ProtocolError('unavailable', 'what was missed cannot be read now');
}

async function subscribe(
  deps: SessionStartDeps,
  channel: string,
  since: Position | undefined,
): Promise<Subscription> {
  if (!isProject(channel) && channel !== ALL && channel !== userChannel(userIdOf(deps))) {
    throw new ProtocolError('forbidden', `${channel} is not offered here`);
  }
  const options = since === undefined ? {} : { since };
  return deps.context.hub.subscribe(deps.session, channel, options);
}

function subscribed(
  { subscriptions }: Session,
  channels: readonly string[],
): [string, Subscription][] {
  return channels.flatMap((channel) => {
    const subscription = subscriptions.get(channel);
    return subscription === undefined ? [] : [[channel, subscription]];
  });
}

function userIdOf({ session }: SessionStartDeps): string {
  return session.identity.userId as string; // checked when the client joined
}

function isUnavailable(error: unknown): boolean {
  return !(error instanceof ProtocolError) || error.code === 'unavailable';
}
