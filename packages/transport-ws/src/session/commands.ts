import { outcomeOrRefusal, outcomesOf, type Told } from '@leque/core';
import {
  type Action,
  type Command,
  FIREHOSE,
  ProtocolError,
  parseCommand,
  parseCursor,
  projectChannel,
  type Stats,
  tryParseChannel,
  tryParseCursor,
} from '@leque/protocol';
import { assertSuffices } from './admission.ts';
import type { WsSession } from './ws-session.ts';

type Handlers = {
  readonly [A in Action]: (ws: WsSession, command: Command<A>) => void | Promise<void>;
};

/** Each cursor may read a history; yet a client may resume as many channels as it can name. */
const CURSORS_PER_COMMAND = 8;

const handlers: Handlers = { ping, subscribe, unsubscribe, stats, resume, auth };

/** @throws ProtocolError that the client is told */
export function execute(ws: WsSession, text: string): void | Promise<void> {
  const { action, command } = parseCommand(text);
  // It was checked under the same action, which the type cannot say.
  const handle = handlers[action] as (ws: WsSession, command: Command) => void | Promise<void>;
  return handle(ws, command);
}

function ping(ws: WsSession, { id }: Command<'ping'>): void {
  ws.answer('pong', {}, id);
}

async function subscribe(ws: WsSession, command: Command<'subscribe'>): Promise<void> {
  const { project_id, since, id } = command;
  const channel = offeredChannel(ws, project_id);
  const options = since === undefined ? {} : { since: parseCursor(since) };
  const subscription = await ws.subscribe(channel, options);
  const message = `Subscribed to project ${project_id}`;
  ws.answer('subscribed', { project_id, message, ...subscription.outcome }, id);
  subscription.start();
}

function unsubscribe(ws: WsSession, { project_id, id }: Command<'unsubscribe'>): void {
  const channel = offeredChannel(ws, project_id);
  // The firehose cannot leave one project out: who wants fewer than all has to select.
  if (ws.session.subscriptions.has(FIREHOSE)) ws.select(channel);
  ws.context.hub.unsubscribe(ws.session, channel);
  ws.answer('unsubscribed', { project_id, message: `Unsubscribed from project ${project_id}` }, id);
}

async function stats(ws: WsSession, { id }: Command<'stats'>): Promise<void> {
  ws.answer('stats', visibleStats(ws, await ws.context.state.stats()), id);
}

async function resume(ws: WsSession, { cursors, id }: Command<'resume'>): Promise<void> {
  ws.charge(Math.floor(Object.keys(cursors).length / CURSORS_PER_COMMAND));
  const selected = Object.keys(cursors).filter(
    (channel) => isSelectable(ws, channel) && tryParseCursor(cursors[channel] ?? '') !== undefined,
  );
  await ws.turnTo(selected, true);
  const told = await Promise.all(
    Object.entries(cursors).map(async ([channel, cursor]) => {
      return [channel, await resumeChannel(ws, channel, cursor)] as const;
    }),
  );
  ws.answer('resumed', { channels: outcomesOf(told) }, id);
}

async function auth(ws: WsSession, { token, id }: Command<'auth'>): Promise<void> {
  const identity = await ws.context.verifier.verify(token);
  // As a whole: an endpoint whose channel is taken away would be silently deaf.
  assertSuffices(identity, ws.endpoint, ws.context);
  await ws.renew(identity);
  const { userId, expiresAt } = identity;
  const until = expiresAt === undefined ? undefined : new Date(expiresAt).toISOString();
  ws.answer('authenticated', { user_id: userId, expires_at: until }, id);
}

function resumeChannel(ws: WsSession, channel: string, cursor: string): Promise<Told> {
  return outcomeOrRefusal(ws.context.telemetry, async () => {
    const since = parseCursor(cursor);
    const selected = !ws.session.subscriptions.has(channel);
    if (selected && !isSelectable(ws, channel)) {
      throw new ProtocolError('forbidden', `this endpoint does not offer ${channel}`);
    }
    const subscription = await ws.context.hub.subscribe(ws.session, channel, { since });
    if (selected) ws.select(channel);
    return subscription;
  });
}

function offeredChannel(ws: WsSession, projectId: string): string {
  if (ws.endpoint.offers(projectId)) return projectChannel(projectId);
  throw new ProtocolError('forbidden', 'this endpoint does not offer that project');
}

/** What a client resumes without being subscribed to it yet can only be a project it selects. */
function isSelectable(ws: WsSession, channel: string): boolean {
  const parsed = tryParseChannel(channel);
  return parsed?.kind === 'project' && ws.endpoint.offers(parsed.id);
}

/** A session without the right to statistics sees the projects of its own grants (ISO). */
function visibleStats(ws: WsSession, all: Stats): Stats {
  const { grants } = ws.session.identity;
  if (grants.has('stats')) return all;
  const visible = Object.entries(all.connections_per_project).filter(([projectId]) =>
    grants.coversProject(projectId),
  );
  return {
    ...all,
    active_projects: visible.length,
    connections_per_project: Object.fromEntries(visible),
  };
}
