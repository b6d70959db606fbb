import { isoExpiry, type Outcome, outcomesOf, refusedFields, standingOf } from '@leque/core';
import {
  COMMANDS,
  checkCommand,
  ignoredFields,
  isDeeperThan,
  MAX_DEPTH,
  ProtocolError,
  type ServerMessage,
  userChannel,
} from '@leque/protocol';
import { type TObject, Type } from 'typebox';
import { asObject, type CommandTarget } from './command-target.ts';
import {
  holdGrants,
  noteMoves,
  subscribedTo,
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

const { properties: LISTED } = COMMANDS['subscribe.projects'];
/** These commands name the fields that they ignore; a `ping` gets all its fields back. */
const FIELDS: Partial<Record<CommandName, TObject>> = {
  'subscribe.tasks': Type.Object({}),
  'unsubscribe.tasks': Type.Object({}),
  'subscribe.project': COMMANDS.subscribe,
  'unsubscribe.project': COMMANDS.unsubscribe,
  'subscribe.projects': Type.Object({
    ...LISTED,
    project_ids: Type.Unknown(),
    since: Type.Unknown(),
  }),
  'unsubscribe.projects': Type.Object({
    ...COMMANDS['unsubscribe.projects'].properties,
    project_ids: Type.Unknown(),
  }),
  auth: COMMANDS.auth,
};

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
  const payload = await handlers[name](target, sent);
  return { name: CONFIRMATIONS[name], payload: { ...payload, ...ignoredIn(name, sent) } };
}

/** Names the fields that the command does not know, if there are any. */
function ignoredIn(name: CommandName, sent: unknown): object {
  const schema = FIELDS[name];
  if (schema === undefined || Array.isArray(sent) || Buffer.isBuffer(sent)) return {};
  const ignored = ignoredFields(schema, asObject(sent));
  return ignored.length === 0 ? {} : { ignored };
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

async function auth(target: CommandTarget, sent: unknown): Promise<object> {
  const { client, feed, userId } = target;
  const { token, cursors = {}, grants = [] } = checkCommand('auth', asObject(sent));
  const presented = new Map(Object.entries(cursors));
  client.charge(presented.size);
  const identity = await client.context.verifier.verify(token);
  // Before the token counts: a room that only a grant covers from now on goes on without a break.
  const refused = await holdGrants(target, grants, presented);
  const before = subscribedTo(target);
  const { ended, results } = await feed.renew(identity, presented);
  const begun = [...client.session.subscriptions.values()]
    .filter(({ channel }) => !before.has(channel))
    .map((subscription) => [subscription.channel, subscription] as const);
  noteMoves(target, [...begun, ...results], before);
  if (presented.size > 0) target.endReplay(presented.keys());
  return {
    userId,
    expiresAt: isoExpiry(identity),
    expires_at: isoExpiry(identity),
    ...standingOf(client.session),
    ...(ended.length > 0 && { ended }),
    ...(presented.size > 0 && { channels: outcomesOf(results) }),
    ...refusedFields(grants, refused),
  };
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
