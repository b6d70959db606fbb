import {
  COMMANDS_PER_SECOND,
  CommandLimiter,
  type CommandOwner,
  CommandQueue,
  errorForClient,
  type Identity,
  outcomeOrRefusal,
  outcomesOf,
  type Session,
  type Told,
  tooManyCommands,
} from '@leque/core';
import {
  CLOSE,
  checkCommand,
  isDeeperThan,
  MAX_DEPTH,
  ProtocolError,
  parseChannel,
  projectChannel,
  readCursor,
  userChannel,
} from '@leque/protocol';
import type { Socket } from 'socket.io';
import { type EnginePacket, isBinary } from './binary-packets.ts';
import type { SocketIoContext } from './context.ts';
import { cursorsOf } from './cursors.ts';
import { forgetRequest } from './direct-path.ts';
import { SocketIoConnection, type SocketIoWriting } from './socketio-connection.ts';
import { encodeAnswer } from './socketio-format.ts';
import { readBy, type SocketReader } from './watched-socket.ts';

const NONE = Object.freeze({});
/** What is left of every handshake: its headers and its token have done their work. */
const PAST_HANDSHAKE = Object.freeze({ headers: NONE, query: NONE, auth: NONE, url: '' });

type Ack = (payload: object) => void;

export interface SocketIoSessionInit {
  readonly socket: Socket;
  readonly identity: Identity & { readonly userId: string };
  readonly writing: SocketIoWriting;
}

/** The reading half of one Socket.IO socket in `/events`: commands in, confirmations out. */
export class SocketIoSession implements SocketReader, CommandOwner {
  readonly session: Session;
  readonly #socket: Socket;
  readonly #userId: string;
  readonly #connection: SocketIoConnection;
  readonly #context: SocketIoContext;
  /** Made for the first command. */
  #limiter: CommandLimiter | undefined;
  readonly #commands: CommandQueue;
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
    this.#commands.push(() => this.#open());
  }

  get clientId(): string {
    return this.#socket.id;
  }

  packet(packet: EnginePacket): void {
    if (isBinary(packet)) this.session.close(CLOSE.unsupportedData, 'text packets only');
  }

  disconnected(reason: string): void {
    const { hub, telemetry } = this.#context;
    const { id: sessionId, closeCode: code = 1000 } = this.session;
    this.#connection.end();
    hub.remove(this.session);
    telemetry.report({ type: 'session_closed', transport: 'socketio', sessionId, code, reason });
    // One that has left the namespace has nothing to do here any more, and would not be counted.
    this.#socket.conn.close();
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

  /** Subscribes before it says `connected`, so that nothing published after that is missed. */
  async #open(): Promise<void> {
    const cursors = cursorsOf(this.#socket.handshake.auth);
    const own = userChannel(this.#userId);
    const channels = [...new Set([own, ...Object.keys(cursors)])];
    const told = await Promise.all(
      channels.map(async (channel): Promise<[string, Told]> => {
        return [channel, await this.#resume(channel, cursors[channel])];
      }),
    );
    if (!this.session.subscriptions.has(own)) await this.#context.hub.subscribe(this.session, own);
    this.#answer('connected', {
      clientId: this.#socket.id,
      userId: this.#userId,
      timestamp: now(),
      message: 'Successfully connected to real-time events',
      ...this.session.subscriptions.get(own)?.outcome,
    });
    this.session.flush();
    if (Object.keys(cursors).length > 0) {
      this.#answer('resumed', { channels: outcomesOf(told), timestamp: now() });
    }
    // Counts are announced to this room from here on; and code that emits to it through Socket.IO's
    // Redis emitter keeps working.
    await this.#socket.join(roomOf(this.#userId));
    this.#flow();
    Object.assign(this.#socket, { handshake: PAST_HANDSHAKE });
    forgetRequest(this.#socket.conn);
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

  #resume(channel: string, cursor: string | undefined): Promise<Told> {
    return outcomeOrRefusal(this.#context.telemetry, async () => {
      const options = cursor === undefined ? {} : { since: readCursor(cursor) };
      const isProject = parseChannel(channel)?.kind === 'project';
      if (!isProject && channel !== userChannel(this.#userId)) {
        throw new ProtocolError('forbidden', `${channel} is not offered here`);
      }
      return await this.#context.hub.subscribe(this.session, channel, options);
    });
  }

  async subscribeTasks(): Promise<object> {
    await this.#context.hub.subscribe(this.session, userChannel(this.#userId));
    return { userId: this.#userId, message: 'Successfully subscribed to task updates' };
  }

  unsubscribeTasks(): object {
    this.#context.hub.unsubscribe(this.session, userChannel(this.#userId));
    return { userId: this.#userId, message: 'Successfully unsubscribed from task updates' };
  }

  async subscribeProject(sent: unknown): Promise<object> {
    const { project_id, since } = checkCommand('subscribe', asObject(sent));
    const options = since === undefined ? {} : { since: readCursor(since) };
    const { hub } = this.#context;
    const subscription = await hub.subscribe(this.session, projectChannel(project_id), options);
    const message = `Subscribed to project ${project_id}`;
    return { project_id, message, ...subscription.outcome };
  }

  unsubscribeProject(sent: unknown): object {
    const { project_id } = checkCommand('unsubscribe', asObject(sent));
    this.#context.hub.unsubscribe(this.session, projectChannel(project_id));
    return { project_id, message: `Unsubscribed from project ${project_id}` };
  }

  async authenticate(sent: unknown): Promise<object> {
    const { token } = checkCommand('auth', asObject(sent));
    const identity = await this.#context.verifier.verify(token);
    this.#context.hub.renew(this.session, identity);
    const { expiresAt } = identity;
    const until = expiresAt === undefined ? undefined : new Date(expiresAt).toISOString();
    return { userId: this.#userId, expiresAt: until };
  }

  #admit(ack: Ack | undefined): boolean {
    this.#limiter ??= new CommandLimiter(this.#context.clock, COMMANDS_PER_SECOND);
    const verdict = this.#limiter.take();
    if (verdict === 'close') this.session.close(CLOSE.tooManyCommands, 'too many commands');
    if (verdict === 'refuse') this.#refuse(tooManyCommands(), ack);
    return verdict === 'ok';
  }

  /** Through the outbox, like publications: in order with them, and under the same limit (MEM). */
  #answer(name: string, payload: object, ack?: Ack): void {
    this.session.send(encodeAnswer(name, payload), 1);
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

interface SocketIoCommand {
  /** The name of the answer. */
  readonly confirmation: string;
  /** @returns what the confirmation says beside the time */
  handle(io: SocketIoSession, sent: unknown): object | Promise<object>;
}

const COMMANDS: ReadonlyMap<string, SocketIoCommand> = new Map(
  Object.entries({
    ping: {
      confirmation: 'pong',
      handle: (io, sent) => ({ ...echoOf(sent), clientId: io.clientId }),
    },
    'subscribe.tasks': {
      confirmation: 'subscribed.tasks',
      handle: (io) => io.subscribeTasks(),
    },
    'unsubscribe.tasks': {
      confirmation: 'unsubscribed.tasks',
      handle: (io) => io.unsubscribeTasks(),
    },
    'subscribe.project': {
      confirmation: 'subscribed.project',
      handle: (io, sent) => io.subscribeProject(sent),
    },
    'unsubscribe.project': {
      confirmation: 'unsubscribed.project',
      handle: (io, sent) => io.unsubscribeProject(sent),
    },
    auth: {
      confirmation: 'authenticated',
      handle: (io, sent) => io.authenticate(sent),
    },
  } satisfies Record<string, SocketIoCommand>),
);

function unknownCommand(name: unknown): ProtocolError {
  const known = [...COMMANDS.keys()].join(', ');
  const said = String(name).slice(0, 64);
  return new ProtocolError('unknown_action', `no event "${said}"; known are ${known}`);
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

/** @throws ProtocolError where no JSON could be made of it again */
function echoOf(sent: unknown): Record<string, unknown> {
  if (!isDeeperThan(sent, MAX_DEPTH)) return asObject(sent);
  throw new ProtocolError('invalid_command', `nested more than ${MAX_DEPTH} levels deep`);
}

function asObject(sent: unknown): Record<string, unknown> {
  return typeof sent === 'object' && sent !== null ? (sent as Record<string, unknown>) : {};
}

function now(): string {
  return new Date().toISOString();
}
