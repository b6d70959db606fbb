import { type ClientSession, isoExpiry, type Outcome } from '@leque/core';
import {
  checkCommand,
  isDeeperThan,
  isId,
  MAX_DEPTH,
  ProtocolError,
  parseCursor,
  projectChannel,
  type ServerMessage,
  tryParseCursor,
  userChannel,
} from '@leque/protocol';
import type { SocketIoConnection } from './socketio-connection.ts';

/** The session that a command acts on. */
export interface CommandTarget {
  readonly client: ClientSession<never>;
  readonly connection: SocketIoConnection;
  /** The socket's id, as its client knows it. */
  readonly clientId: string;
  readonly userId: string;
}

/** The events that clients send, each with the event that confirms it. */
const CONFIRMATIONS = {
  ping: 'pong',
  'subscribe.tasks': 'subscribed.tasks',
  'unsubscribe.tasks': 'unsubscribed.tasks',
  'subscribe.project': 'subscribed.project',
  'unsubscribe.project': 'unsubscribed.project',
  auth: 'authenticated',
} as const satisfies Record<string, ServerMessage>;

type CommandName = keyof typeof CONFIRMATIONS;

type Handlers = {
  readonly [N in CommandName]: (target: CommandTarget, sent: unknown) => object | Promise<object>;
};

const handlers: Handlers = {
  ping,
  'subscribe.tasks': subscribeTasks,
  'unsubscribe.tasks': unsubscribeTasks,
  'subscribe.project': subscribeProject,
  'unsubscribe.project': unsubscribeProject,
  auth,
};

export interface Confirmation {
  readonly name: ServerMessage;
  /** Without the time. */
  readonly payload: object;
}

/** @throws ProtocolError that is sent to the client */
export async function execute(
  target: CommandTarget,
  name: unknown,
  sent: unknown,
): Promise<Confirmation> {
  if (!isCommand(name)) throw unknownCommand(name);
  return { name: CONFIRMATIONS[name], payload: await handlers[name](target, sent) };
}

/** The channel for which a command presents a cursor, if any. */
export function presentedBy(name: unknown, sent: unknown): readonly string[] {
  const { project_id, since } = asObject(sent);
  const isGiven = name === 'subscribe.project' && typeof project_id === 'string';
  const isCursor = typeof since === 'string' && tryParseCursor(since) !== undefined;
  return isGiven && isCursor && isId(project_id) ? [projectChannel(project_id)] : [];
}

function ping({ clientId }: CommandTarget, sent: unknown): object {
  if (!isDeeperThan(sent, MAX_DEPTH)) return { ...asObject(sent), clientId };
  throw new ProtocolError('invalid_command', `nested more than ${MAX_DEPTH} levels deep`);
}

async function subscribeTasks(target: CommandTarget): Promise<object> {
  const { userId } = target;
  await subscribe(target, userChannel(userId), undefined);
  return { userId, message: 'Successfully subscribed to task updates' };
}

function unsubscribeTasks(target: CommandTarget): object {
  const { userId } = target;
  unsubscribe(target, userChannel(userId));
  return { userId, message: 'Successfully unsubscribed from task updates' };
}

async function subscribeProject(target: CommandTarget, sent: unknown): Promise<object> {
  const { project_id, since } = checkCommand('subscribe', asObject(sent));
  const outcome = await subscribe(target, projectChannel(project_id), since);
  return { project_id, message: `Subscribed to project ${project_id}`, ...outcome };
}

function unsubscribeProject(target: CommandTarget, sent: unknown): object {
  const { project_id } = checkCommand('unsubscribe', asObject(sent));
  unsubscribe(target, projectChannel(project_id));
  return { project_id, message: `Unsubscribed from project ${project_id}` };
}

async function auth({ client, connection, userId }: CommandTarget, sent: unknown): Promise<object> {
  const { token } = checkCommand('auth', asObject(sent));
  const identity = await client.context.verifier.verify(token);
  client.context.hub.renew(client.session, identity);
  connection.progress?.keepOnly(client.session.subscriptions);
  return { userId, expiresAt: isoExpiry(identity) };
}

async function subscribe(
  { client, connection }: CommandTarget,
  channel: string,
  cursor: string | undefined,
): Promise<Outcome> {
  const { session, context } = client;
  const isNew = !session.subscriptions.has(channel);
  const options = cursor === undefined ? {} : { since: parseCursor(cursor) };
  const { outcome } = await context.hub.subscribe(session, channel, options);
  // An existing subscription keeps its position; some of it may still be held back.
  const hasMoved = isNew || outcome.recovered === true;
  if (hasMoved && outcome.cursor !== undefined) connection.progress?.move(channel, outcome.cursor);
  return outcome;
}

function unsubscribe({ client, connection }: CommandTarget, channel: string): void {
  client.context.hub.unsubscribe(client.session, channel);
  connection.progress?.leave(channel);
}

function isCommand(name: unknown): name is CommandName {
  return Object.hasOwn(CONFIRMATIONS, String(name));
}

function unknownCommand(name: unknown): ProtocolError {
  const known = Object.keys(CONFIRMATIONS).join(', ');
  const shown = String(name).slice(0, 64);
  return new ProtocolError('unknown_action', `no event "${shown}"; known are ${known}`);
}

function asObject(sent: unknown): Record<string, unknown> {
  return typeof sent === 'object' && sent !== null ? (sent as Record<string, unknown>) : {};
}
