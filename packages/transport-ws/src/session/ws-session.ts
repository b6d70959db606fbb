import {
  ClientSession,
  type CommandHandler,
  type Connection,
  type EndedForReason,
  type Endpoint,
  EndpointFeed,
  encodeTextFrame,
  endFields,
  type Frame,
  type HeartbeatState,
  type Heartbeats,
  type Identity,
  isoExpiry,
  type Presented,
  returnFields,
  standingOf,
  type TransportContext,
} from '@leque/core';
import {
  CLOSE,
  encodeReply,
  type ProtocolError,
  type RequestId,
  requestIdOf,
  type ServerMessage,
} from '@leque/protocol';
import type { RawData } from 'ws';
import { type CommandTarget, execute, isUrgent, presentedBy } from './commands.ts';
import type { LearnedLimits } from './learned-limits.ts';
import type { SocketReader } from './session-socket.ts';

/** How long new publications wait for the cursors of a client that may be coming back. */
const HOLD_MS = 100;
/** How long they wait for a client that announced its cursors with `?resume=1`. */
const ANNOUNCED_HOLD_MS = 5000;

/** `connection` has no more cursors than these for a client that may take small messages only. */
const MAX_UNASKED_CURSORS = 32;
/** The most bytes of `connection` beside the cursors, of which a user's id may take 256. */
const GREETING_BYTES = 700;

export interface WsSessionDeps {
  readonly connection: Connection;
  readonly endpoint: Endpoint;
  readonly heartbeats: Heartbeats<WsSession>;
  readonly learned: LearnedLimits;
  /** The client in `learned`. */
  readonly clientKey: number;
  /** The bytes of the largest message that the client takes; undefined when it has no known limit. */
  readonly maxMessage: number | undefined;
  readonly context: TransportContext;
}

/** The reading half of one raw WebSocket: commands in, answers out. */
export class WsSession
  implements SocketReader, HeartbeatState, CommandHandler<string>, CommandTarget
{
  readonly client: ClientSession<string>;
  readonly feed: EndpointFeed;
  heardAt = 0;
  beatsAt = 0;
  readonly #heartbeats: Heartbeats<WsSession>;
  readonly #learned: LearnedLimits;
  readonly #clientKey: number;
  readonly #maxMessage: number;
  /** Whether the client has been sent a ping since its last pong. */
  #pinged = false;

  constructor(deps: WsSessionDeps, identity: Identity) {
    const { connection, endpoint, heartbeats, context } = deps;
    this.client = new ClientSession({ handler: this, connection, context }, identity);
    this.feed = new EndpointFeed(this.client, endpoint);
    this.#heartbeats = heartbeats;
    this.#learned = deps.learned;
    this.#clientKey = deps.clientKey;
    this.#maxMessage = deps.maxMessage ?? Number.POSITIVE_INFINITY;
  }

  /** @param resumes whether the client has announced its cursors */
  open(resumes: boolean): void {
    this.client.reportOpened();
    this.#heartbeats.add(this);
    this.client.begin(() => this.#open(resumes));
  }

  message(data: RawData, isBinary: boolean): void {
    this.alive();
    if (!isBinary) this.client.receive(data.toString());
    else this.violated(() => this.client.session.close(CLOSE.unsupportedData, 'text frames only'));
  }

  violated(close: () => void): void {
    this.client.afterCommands(close);
  }

  flooded(): void {
    this.client.session.close(CLOSE.tooManyCommands, 'too much input');
  }

  alive(): void {
    this.#heartbeats.heard(this);
  }

  pong(): boolean {
    if (!this.#pinged) return false;
    this.#pinged = false;
    this.alive();
    return true;
  }

  tooLarge(): void {
    if (this.client.session.closeCode === undefined) this.#learned.refused(this.#clientKey);
  }

  closed(code: number, reason: Buffer): void {
    this.#heartbeats.remove(this);
    this.client.closed(code, reason.toString());
  }

  execute(text: string): void | Promise<void> {
    return execute(this, text);
  }

  refuse({ code, message }: ProtocolError, text: string): void {
    this.answer('error', { code, message }, requestIdOf(text));
  }

  ended(channel: EndedForReason): void {
    this.answer('unsubscribed', endFields(channel));
  }

  returned(channel: string): void {
    this.answer('subscribed', returnFields(this.client.session, channel));
  }

  presented(text: string): Presented {
    return presentedBy(text);
  }

  bytesOf(text: string): number {
    return text.length;
  }

  isUrgent(text: string): boolean {
    return isUrgent(text);
  }

  answer(type: ServerMessage, data: object, id?: RequestId): void {
    this.send(encodeTextFrame(encodeReply(type, data, id === undefined ? {} : { id })));
  }

  /** Sends a frame that ends with a ping; `messages` is the number of messages in it. */
  ping(frame: Frame, messages: number): void {
    this.#pinged = true;
    this.client.session.send(frame, messages);
  }

  send(frame: Frame): void {
    this.client.session.send(frame, 1);
  }

  async #open(resumes: boolean): Promise<void> {
    const { nodeId, firehose } = this.client.context;
    const { id, identity } = this.client.session;
    await this.feed.open();
    this.answer('connection', {
      status: 'connected',
      client_id: id,
      message: 'Connected to real-time events',
      node: nodeId,
      ...(identity.userId !== undefined && { user_id: identity.userId }),
      expires_at: isoExpiry(identity),
      ...this.#standing(resumes),
      ...(identity.grants.allProjects && !firehose && { firehose: 'off' }),
    });
    this.client.hold(resumes ? ANNOUNCED_HOLD_MS : HOLD_MS);
  }

  /** Where its channels stand, unless that could be more than the client takes. */
  #standing(resumes: boolean): object {
    const { session } = this.client;
    if (!resumes && session.subscriptions.size > MAX_UNASKED_CURSORS) return {};
    const standing = standingOf(session);
    if (this.#maxMessage === Number.POSITIVE_INFINITY) return standing;
    const bytes = JSON.stringify(standing).length + GREETING_BYTES;
    return bytes > this.#maxMessage ? {} : standing;
  }
}
