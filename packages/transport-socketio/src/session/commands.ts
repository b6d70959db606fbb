import { isoExpiry, type Outcome } from '@leque/core';
import {
  checkCommand,
  isDeeperThan,
  MAX_DEPTH,
  ProtocolError,
  type ServerMessage,
  userChannel,
} from '@leque/protocol';
import { asObject, type CommandTarget } from './command-target.ts';
import {
  subscribeProject,
  subscribeProjects,
  unsubscribeProject,
  unsubscribeProjects,
} from './project-commands.ts';

/** The events that clients send, each with the event that confirms it. */
const CONFIRMATIONS = {
  ping: 'pong',
  'subscribe.tasks': 'subscribed.tasks',
  'unsubscribe.tasks': 'unsubscribed.tasks',
  'subscribe.project': 'subscribed.project',
  'unsubscribe.project': 'unsubscribed.project',
  'subscribe.projects': 'subscribed.projects',
  'unsubscribe.projects': 'unsubscribed.projects',
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
  'subscribe.projects': subscribeProjects,
  'unsubscribe.projects': unsubscribeProjects,
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

function ping({ clientId }: CommandTarget, sent: unknown): object {
  if (!isDeeperThan(sent, MAX_DEPTH)) return { ...asObject(sent), clientId };
  throw new ProtocolError('invalid_command', `nested more than ${MAX_DEPTH} levels deep`);
}

async function subscribeTasks(target: CommandTarget): Promise<object> {
  const { userId } = target;
  await subscribe(target, userChannel(userId));
  return { userId, message: 'Successfully subscribed to task updates' };
}

function unsubscribeTasks(target: CommandTarget): object {
  const { userId } = target;
  unsubscribe(target, userChannel(userId));
  return { userId, message: 'Successfully unsubscribed from task updates' };
}

async function auth(
  { client, connection, feed, userId }: CommandTarget,
  sent: unknown,
): Promise<object> {
  const { token } = checkCommand('auth', asObject(sent));
  const identity = await client.context.verifier.verify(token);
  const { subscriptions } = client.session;
  const before = new Set(subscriptions.keys());
  await feed.renew(identity);
  connection.progress?.keepOnly(subscriptions);
  for (const channel of subscriptions.keys()) {
    const cursor = subscriptions.get(channel)?.outcome.cursor;
    if (!before.has(channel) && cursor !== undefined) connection.progress?.move(channel, cursor);
  }
  return { userId, expiresAt: isoExpiry(identity) };
}

async function subscribe({ client, connection }: CommandTarget, channel: string): Promise<Outcome> {
  const { session, context } = client;
  const isNew = !session.subscriptions.has(channel);
  const { outcome } = await context.hub.subscribe(session, channel, {});
  // An existing subscription keeps its position; some of it may still be held back.
  if (isNew && outcome.cursor !== undefined) connection.progress?.move(channel, outcome.cursor);
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
