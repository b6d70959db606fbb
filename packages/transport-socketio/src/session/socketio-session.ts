import {
  announceCaughtUp,
  ClientSession,
  type CommandHandler,
  type EndedForReason,
  EndpointFeed,
  endFields,
  errorForClient,
  grantedProjectsEndpoint,
  type Identity,
  isoExpiry,
  outcomesOf,
  type Presented,
  type RefusedGrants,
  refusedFields,
  returnFields,
  selectedProjectsEndpoint,
  standingOf,
} from '@leque/core';
import {
  CLOSE,
  isDeeperThan,
  MAX_DEPTH,
  type ProtocolError,
  type ServerMessage,
  userChannel,
} from '@leque/protocol';
import type { Socket } from 'socket.io';
import type { SocketIoContext } from '../context.ts';
import { bindReader, type SocketReader, stateOf } from '../internals/connection-state.ts';
import { setPid, takeBackId } from '../internals/socket-state.ts';
import { type EnginePacket, isBinary, isEmpty } from '../wire/binary-packets.ts';
import { encodeAnswer } from '../wire/socketio-format.ts';
import { authOf, ignoredInAuth } from './auth.ts';
import type { CommandTarget } from './command-target.ts';
import { execute } from './commands.ts';
import { presentedGrants } from './presented-grants.ts';
import { presentedBy } from './project-commands.ts';
import { type SessionStart, startSession } from './session-start.ts';
import { SocketIoConnection } from './socketio-connection.ts';

type Ack = (payload: object) => void;

/** An event with its arguments, the last of which may be a callback. */
type SocketIoCommand = readonly unknown[];

/** Commands that may overtake those that wait for the pace of the client's commands. */
const URGENT: ReadonlySet<unknown> = new Set(['ping', 'auth']);

/** Socket.IO's reason for the end of a socket whose client has sent DISCONNECT. */
const LEFT = 'client namespace disconnect';

/** The reading half of one Socket.IO socket in `/events`: commands in, confirmations out. */
export class SocketIoSession
  implements SocketReader, CommandHandler<SocketIoCommand>, CommandTarget
{
  readonly client: ClientSession<SocketIoCommand>;
  readonly connection: SocketIoConnection;
  readonly feed: EndpointFeed;
  readonly #socket: Socket;
  /** Undefined once the client has been sent it. */
  #start: SessionStart | undefined;
  /** The grants of `auth.grants` that were not taken; undefined when there are none. */
  #refused: RefusedGrants | undefined;
  /** The number of the user's connections that was sent last. */
  #connections: number | undefined;

  constructor(socket: Socket, identity: Identity, context: SocketIoContext) {
    this.#socket = socket;
    this.connection = new SocketIoConnection(socket, context);
    const deps = { handler: this, connection: this.connection, context };
    this.client = new ClientSession(deps, identity);
    const isGranted = String(authOf(socket)['projects']) === 'true';
    const endpoint = isGranted
      ? grantedProjectsEndpoint(context.firehose)
      : selectedProjectsEndpoint;
    this.feed = new EndpointFeed(this.client, endpoint);
    bindReader(socket, this);
  }

  get clientId(): string {
    return this.#socket.id;
  }

  get userId(): string {
    return this.client.session.identity.userId as string; // checked when the client joined
  }

  packet(packet: EnginePacket): void {
    if (isEmpty(packet)) this.client.session.close(CLOSE.unsupportedData, 'an empty packet');
    else if (isBinary(packet))
      this.client.session.close(CLOSE.unsupportedData, 'text packets only');
  }

  flooded(): void {
    this.client.session.close(CLOSE.tooManyCommands, 'too much input');
  }

  upgraded(): void {
    this.connection.upgraded();
  }

  disconnected(reason: string): void {
    this.connection.end();
    this.client.closed(this.client.session.closeCode ?? 1000, reason);
    if (reason === LEFT && !stateOf(this.#socket).stopped) stateOf(this.#socket).left();
    else this.#socket.conn.close();
  }

  closed(): void {
    this.connection.end();
    this.client.end();
  }

  event(command: SocketIoCommand): void {
    this.client.receive(command);
  }

  async execute(command: SocketIoCommand): Promise<void> {
    const [name, first] = command;
    const ack = ackOf(command);
    const { name: confirmation, payload } = await execute(
      this,
      name,
      first === ack ? undefined : first,
    );
    this.#answer(confirmation, { ...payload, timestamp: now() }, ack);
  }

  refuse({ code, message }: ProtocolError, command: SocketIoCommand): void {
    this.#answer('error', { code, message }, ackOf(command));
  }

  ended(channel: EndedForReason): void {
    this.connection.progress?.end(channel.channel);
    this.#answer('unsubscribed.project', { ...endFields(channel), timestamp: now() });
  }

  returned(channel: string): void {
    const { session } = this.client;
    const cursor = session.subscriptions.get(channel)?.outcome.cursor;
    if (cursor !== undefined) this.connection.progress?.move(channel, cursor);
    const fields = returnFields(session, channel);
    this.#answer('subscribed.project', { ...fields, timestamp: now() });
  }

  presented([name, first]: SocketIoCommand): Presented {
    return presentedBy(name, first);
  }

  bytesOf(command: SocketIoCommand): number {
    const { maxMessageBytes } = this.client.context.limits;
    return isDeeperThan(command, MAX_DEPTH) ? maxMessageBytes : JSON.stringify(command).length;
  }

  isUrgent([name]: SocketIoCommand): boolean {
    return URGENT.has(name);
  }

  /**
   * Subscribes before the client learns that it is connected: nothing that is published after that
   * is missed, and the client learns whether its state was recovered.
   * @throws ProtocolError `unavailable`
   */
  async open(): Promise<void> {
    const auth = authOf(this.#socket);
    const grants = presentedGrants(auth);
    if (grants.length > 0) this.#refused = await this.client.grants.holdAll(grants);
    const start = await startSession(auth, {
      session: this.client.session,
      feed: this.feed,
      connection: this.connection,
      context: this.client.context as SocketIoContext,
      sid: this.#socket.id,
    });
    setPid(this.#socket, start.pid);
    if (start.sid !== undefined) takeBackId(this.#socket, start.sid);
    this.#start = start;
  }

  begin(): void {
    this.client.reportOpened();
    setPid(this.#socket, undefined); // it is long, and is not needed any more
    this.client.begin(() => this.#begin());
  }

  async #begin(): Promise<void> {
    const { recovered, results = [] } = this.#start ?? {};
    const asked = results.map(([channel]) => channel);
    this.#start = undefined;
    const { session } = this.client;
    this.#answer('connected', {
      clientId: this.#socket.id,
      userId: this.userId,
      timestamp: now(),
      message: 'Successfully connected to real-time events',
      ...(recovered !== undefined && { recovered }),
      expires_at: isoExpiry(session.identity),
      ...session.subscriptions.get(userChannel(this.userId))?.outcome,
      ...standingOf(session),
      ...this.#refusedGrants(),
      ...ignoredInAuth(authOf(this.#socket)),
    });
    session.flush();
    if (results.length > 0) {
      this.#answer('resumed', { channels: outcomesOf(results), timestamp: now() });
    }
    // From here on counts are announced to this room, and code that emits to it through Socket.IO's
    // Redis emitter works.
    await this.#socket.join(roomOf(this.userId));
    if (recovered !== undefined) this.endReplay([...session.subscriptions.keys()]);
    else if (asked.length > 0) this.endReplay(asked);
    this.client.flow();
    this.connection.settle();
    await this.#readConnections();
  }

  #refusedGrants(): object {
    const refused = this.#refused;
    this.#refused = undefined;
    return refused === undefined
      ? {}
      : refusedFields(presentedGrants(authOf(this.#socket)), refused);
  }

  /** Reads the count of connections; the session works without it until it is announced. */
  async #readConnections(): Promise<void> {
    const { state, telemetry } = this.client.context;
    try {
      const [count = 0] = await state.userConnections([this.userId]);
      // A count that was announced meanwhile is newer.
      if (this.#connections === undefined) this.sendConnections(count);
    } catch (error) {
      errorForClient(error, 'connection count', telemetry);
    }
  }

  sendConnections(count: number): void {
    if (count === this.#connections) return;
    this.#connections = count;
    this.#answer('connections.count', { count });
  }

  endReplay(presented: Iterable<string>): void {
    announceCaughtUp(this.client, presented, (channels) => {
      this.#answer('caught_up', { channels, timestamp: now() });
    });
  }

  /** Sends through the outbox like publications: in their order, and under the same limit (MEM). */
  #answer(name: ServerMessage, payload: object, ack?: Ack): void {
    const { session } = this.client;
    session.send(encodeAnswer(name, payload, this.connection.progress?.takeOffset()), 1);
    if (ack === undefined || !session.open) return;
    session.flush();
    ack(payload);
  }
}

/** The Socket.IO room of a user's sockets. */
export function roomOf(userId: string): string {
  return `user:${userId}`;
}

/** The callback that comes last when the client wants an acknowledgement. */
function ackOf(command: SocketIoCommand): Ack | undefined {
  const last = command.at(-1);
  return typeof last === 'function' ? (last as Ack) : undefined;
}

function now(): string {
  return new Date().toISOString();
}
