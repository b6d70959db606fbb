import {
  COMMANDS_PER_SECOND,
  type CommandOwner,
  CommandQueue,
  errorForClient,
  type Identity,
  type Outcome,
  outcomesOf,
  RateWindow,
  type Session,
  tooManyCommands,
} from '@leque/core';
import {
  CLOSE,
  checkCommand,
  parseCursor,
  projectChannel,
  type ServerMessage,
  userChannel,
} from '@leque/protocol';
import type { Socket } from 'socket.io';
import type { SocketIoContext } from '../context.ts';
import { setPid, takeBackId } from '../internals/socket-state.ts';
import { readBy, type SocketReader } from '../internals/watched-socket.ts';
import { type EnginePacket, isBinary } from '../wire/binary-packets.ts';
import { encodeAnswer } from '../wire/socketio-format.ts';
import { asObject, COMMANDS, type Commanded, unknownCommand } from './commands.ts';
import { Opener, type Opening } from './session-start.ts';
import { SocketIoConnection, type SocketIoWriting } from './socketio-connection.ts';

type Ack = (payload: object) => void;

export interface SocketIoSessionInit {
  readonly socket: Socket;
  readonly identity: Identity & { readonly userId: string };
  readonly writing: SocketIoWriting;
}

/** The reading half of one Socket.IO socket in `/events`: commands in, confirmations out. */
export class SocketIoSession implements SocketReader, CommandOwner, Commanded {
  readonly session: Session;
  readonly #socket: Socket;
  readonly #userId: string;
  readonly #connection: SocketIoConnection;
  readonly #context: SocketIoContext;
  /** Made for the first command. */
  #limiter: RateWindow | undefined;
  readonly #commands: CommandQueue;
  /** Until its client has been told of it. */
  #opening: Opening | undefined;
  /** Of its user, in the cluster, as it was told last. */
  #connections: number | undefined;

  constructor({ socket, identity, writing }: SocketIoSessionInit, context: SocketIoContext) {
    this.#socket = socket;
    this.#userId = identity.userId;
    this.#context = context;
    this.#connection = new SocketIoConnection(socket, writing);
    this.session = context.hub.open(this.#connection, identity);
    this.#commands = new CommandQueue(COMMANDS_PER_SECOND, this);
    readBy(socket, this);
  }

  get clientId(): string {
    return this.#socket.id;
  }

  packet(packet: EnginePacket): void {
    if (isBinary(packet)) this.session.close(CLOSE.unsupportedData, 'text packets only');
  }

  upgraded(): void {
    this.#connection.upgraded();
  }

  disconnected(reason: string): void {
    const { telemetry } = this.#context;
    const { id: sessionId, closeCode: code = 1000 } = this.session;
    this.closed();
    telemetry.report({ type: 'session_closed', transport: 'socketio', sessionId, code, reason });
    // One that has left the namespace has nothing to do here any more, and would not be counted.
    this.#socket.conn.close();
  }

  closed(): void {
    this.#connection.end();
    this.#context.hub.remove(this.session);
  }

  event([name, ...args]: readonly unknown[]): void {
    const ack = ackOf(args);
    if (!this.#admit(ack)) return;
    const command = COMMANDS.get(String(name));
    const run = async () => {
      try {
        if (command === undefined) throw unknownCommand(name);
        const answer = await command.handle(this, args[0] === ack ? undefined : args[0]);
        this.#answer(command.confirmation, { ...answer, timestamp: now() }, ack);
      } catch (error) {
        this.#refuse(error, ack);
      }
      this.#flow();
    };
    if (!this.#commands.push(run)) this.#refuse(tooManyCommands(), ack);
  }

  /**
   * Subscribes before the client is told that it is connected: so nothing that is published after
   * that is missed, and the client is told whether its state was recovered.
   * @throws ProtocolError `unavailable`
   */
  async open(): Promise<void> {
    const { session } = this;
    const { id: sid, conn, handshake } = this.#socket;
    const init = { session, connection: this.#connection, userId: this.#userId, sid };
    const opener = new Opener({ ...init, knowsPids: conn.protocol !== 3 }, this.#context);
    const opening = await opener.open(handshake.auth);
    setPid(this.#socket, opening.pid);
    if (opening.sid !== undefined) takeBackId(this.#socket, opening.sid);
    this.#opening = opening;
  }

  begin(): void {
    const { id: sessionId, identity } = this.session;
    const { userId } = identity;
    const { telemetry } = this.#context;
    telemetry.report({ type: 'session_opened', transport: 'socketio', sessionId, userId });
    setPid(this.#socket, undefined); // it is long, and has done its work
    this.#commands.push(() => this.#begin());
  }

  async #begin(): Promise<void> {
    const { recovered, told = [] } = this.#opening ?? {};
    this.#opening = undefined;
    this.#answer('connected', {
      clientId: this.#socket.id,
      userId: this.#userId,
      timestamp: now(),
      message: 'Successfully connected to real-time events',
      ...(recovered !== undefined && { recovered }),
      ...this.session.subscriptions.get(userChannel(this.#userId))?.outcome,
    });
    this.session.flush();
    if (told.length > 0) {
      this.#answer('resumed', { channels: outcomesOf(told), timestamp: now() });
    }
    // Counts are announced to this room from here on; and code that emits to it through Socket.IO's
    // Redis emitter keeps working.
    await this.#socket.join(roomOf(this.#userId));
    this.#flow();
    this.#connection.settle();
    await this.#readConnections();
  }

  /** The session does without: a count that cannot be read now is announced once it can be. */
  async #readConnections(): Promise<void> {
    const { state, telemetry } = this.#context;
    try {
      const [count = 0] = await state.userConnections([this.#userId]);
      // What was announced meanwhile is newer.
      if (this.#connections === undefined) this.tellConnections(count);
    } catch (error) {
      errorForClient(error, 'connection count', telemetry);
    }
  }

  /** How many connections its user has in the cluster; in order with all else that it is told. */
  tellConnections(count: number): void {
    if (count === this.#connections) return;
    this.#connections = count;
    this.#answer('connections.count', { count });
  }

  async subscribeTasks(): Promise<object> {
    await this.#subscribe(userChannel(this.#userId), undefined);
    return { userId: this.#userId, message: 'Successfully subscribed to task updates' };
  }

  unsubscribeTasks(): object {
    this.#unsubscribe(userChannel(this.#userId));
    return { userId: this.#userId, message: 'Successfully unsubscribed from task updates' };
  }

  async subscribeProject(sent: unknown): Promise<object> {
    const { project_id, since } = checkCommand('subscribe', asObject(sent));
    const outcome = await this.#subscribe(projectChannel(project_id), since);
    return { project_id, message: `Subscribed to project ${project_id}`, ...outcome };
  }

  unsubscribeProject(sent: unknown): object {
    const { project_id } = checkCommand('unsubscribe', asObject(sent));
    this.#unsubscribe(projectChannel(project_id));
    return { project_id, message: `Unsubscribed from project ${project_id}` };
  }

  async authenticate(sent: unknown): Promise<object> {
    const { token } = checkCommand('auth', asObject(sent));
    const identity = await this.#context.verifier.verify(token);
    this.#context.hub.renew(this.session, identity);
    this.#connection.progress?.keepOnly(this.session.subscriptions);
    const { expiresAt } = identity;
    const until = expiresAt === undefined ? undefined : new Date(expiresAt).toISOString();
    return { userId: this.#userId, expiresAt: until };
  }

  async #subscribe(channel: string, cursor: string | undefined): Promise<Outcome> {
    const isNew = !this.session.subscriptions.has(channel);
    const options = cursor === undefined ? {} : { since: parseCursor(cursor) };
    const { outcome } = await this.#context.hub.subscribe(this.session, channel, options);
    // What was there already goes on where its client is, for whom some may be kept back.
    const isElsewhere = isNew || outcome.recovered === true;
    if (isElsewhere && outcome.cursor !== undefined) {
      this.#connection.progress?.move(channel, outcome.cursor);
    }
    return outcome;
  }

  #unsubscribe(channel: string): void {
    this.#context.hub.unsubscribe(this.session, channel);
    this.#connection.progress?.leave(channel);
  }

  #admit(ack: Ack | undefined): boolean {
    this.#limiter ??= new RateWindow(this.#context.clock, COMMANDS_PER_SECOND);
    const verdict = this.#limiter.take();
    if (verdict === 'close') this.session.close(CLOSE.tooManyCommands, 'too many commands');
    if (verdict === 'refuse') this.#refuse(tooManyCommands(), ack);
    return verdict === 'ok';
  }

  /** Through the outbox, like publications: in order with them, and under the same limit (MEM). */
  #answer(name: ServerMessage, payload: object, ack?: Ack): void {
    this.session.send(encodeAnswer(name, payload, this.#connection.progress?.takeOffset()), 1);
    if (ack === undefined || !this.session.open) return;
    this.session.flush();
    ack(payload);
  }

  #refuse(error: unknown, ack: Ack | undefined): void {
    const { telemetry } = this.#context;
    const { code, message } = errorForClient(error, 'socket.io command', telemetry);
    telemetry.report({ type: 'command_refused', transport: 'socketio', code });
    this.#answer('error', { code, message }, ack);
  }

  #flow(): void {
    for (const subscription of this.session.subscriptions.values()) subscription.start();
  }

  /** The session could not be opened: without its subscriptions it would be silently deaf. */
  failed(error: unknown): void {
    errorForClient(error, 'socket.io open', this.#context.telemetry);
    this.session.close(CLOSE.tryAgainLater, 'cannot receive publications now');
  }
}

/** The Socket.IO room of a user's sockets. */
export function roomOf(userId: string): string {
  return `user:${userId}`;
}

/** The callback that comes last when the client wants an acknowledgement. */
function ackOf(args: readonly unknown[]): Ack | undefined {
  const last = args.at(-1);
  return typeof last === 'function' ? (last as Ack) : undefined;
}

function now(): string {
  return new Date().toISOString();
}
