import { outcomeOrRefusal, type Session, type Subscription, type Told } from '@leque/core';
import {
  type Position,
  ProtocolError,
  parseCursor,
  toCursor,
  tryParseChannel,
  userChannel,
} from '@leque/protocol';
import type { SocketIoContext } from '../context.ts';
import { Progress } from '../recovery/progress.ts';
import type { LostState } from '../recovery/recovery-ids.ts';
import { cursorsOf } from './cursors.ts';
import type { SocketIoConnection } from './socketio-connection.ts';

/** What a session began with. */
export interface Opening {
  /** With which the client may come back; undefined where it cannot. */
  readonly pid: string | undefined;
  /** The socket's id in the state that was recovered. */
  readonly sid: string | undefined;
  /** Undefined for a client that did not ask. */
  readonly recovered: boolean | undefined;
  /** By channel, what the client is told of its `auth.cursors`. */
  readonly told: readonly (readonly [channel: string, Told])[];
}

export interface OpenerInit {
  readonly session: Session;
  readonly connection: SocketIoConnection;
  readonly userId: string;
  /** Of the socket, unless it gets back the one that it had. */
  readonly sid: string;
  /** Whether its client knows what a `pid` is. */
  readonly knowsPids: boolean;
}

/**
 * Subscribes a session to its first channels, before its client is told that it is connected: to
 * those of the state that the client has lost, where all of it can be recovered, else anew.
 */
export class Opener {
  readonly #init: OpenerInit;
  readonly #context: SocketIoContext;

  constructor(init: OpenerInit, context: SocketIoContext) {
    this.#init = init;
    this.#context = context;
  }

  /** @throws ProtocolError `unavailable`: the client should come again, and keep its state. */
  async open(auth: Readonly<Record<string, unknown>>): Promise<Opening> {
    const cursors = cursorsOf(auth);
    const lost = this.#context.recovery?.read(auth, this.#init.userId);
    if (lost !== undefined && (await this.#recover(lost))) return this.#goOn(lost, cursors);
    const opening = await this.#beginAnew(cursors);
    return { ...opening, recovered: auth['pid'] === undefined ? undefined : false };
  }

  /** All or nothing. */
  async #recover(lost: LostState): Promise<boolean> {
    const { session, connection } = this.#init;
    connection.progress = Progress.of(lost);
    const settled = await Promise.allSettled(
      [...lost.stands]
        .filter((stand): stand is [string, Position] => stand[1] !== undefined)
        .map(([channel, since]) => this.#subscribe(channel, since)),
    );
    const isLater = settled.find(
      (each) => each.status === 'rejected' && isUnavailable(each.reason),
    );
    if (isLater?.status === 'rejected') throw isLater.reason;
    if (settled.every((each) => each.status === 'fulfilled' && each.value.recovered)) return true;
    connection.progress = undefined;
    for (const channel of [...session.subscriptions.keys()]) this.#unsubscribe(channel);
    return false;
  }

  async #goOn(lost: LostState, cursors: Readonly<Record<string, string>>): Promise<Opening> {
    const { session, connection } = this.#init;
    const { pid, sid, stands } = lost;
    // The client's library knows better than the page what it had before.
    const unknown = Object.keys(cursors).filter((channel) => !stands.has(channel));
    const refused = (await this.#resume(unknown, cursors)).filter(
      ([channel]) => !session.subscriptions.has(channel),
    );
    for (const [channel, { position }] of subscribed(session, unknown)) {
      if (position !== undefined) connection.progress?.move(channel, toCursor(position));
    }
    const told = [...refused, ...subscribed(session, Object.keys(cursors))];
    return { pid, sid, recovered: true, told };
  }

  async #beginAnew(cursors: Readonly<Record<string, string>>): Promise<Opening> {
    const { session, connection, userId, sid, knowsPids } = this.#init;
    const own = userChannel(userId);
    const channels = [...new Set([own, ...Object.keys(cursors)])];
    const told = await this.#resume(channels, cursors);
    // Not just an outcome: without it the session would be silently deaf.
    if (!session.subscriptions.has(own)) await this.#context.hub.subscribe(session, own);
    const base = new Map<string, Position>();
    for (const [channel, { position }] of subscribed(session, channels)) {
      if (position !== undefined) base.set(channel, position);
    }
    const issued = knowsPids ? this.#context.recovery?.issue(sid, base) : undefined;
    if (issued !== undefined) connection.progress = new Progress(issued.id, base.keys());
    const asked = Object.keys(cursors).length > 0 ? told : [];
    return { pid: issued?.pid, sid: undefined, recovered: undefined, told: asked };
  }

  #resume(
    channels: readonly string[],
    cursors: Readonly<Record<string, string>>,
  ): Promise<[string, Told][]> {
    const { telemetry } = this.#context;
    const resume = async (channel: string) => {
      const cursor = cursors[channel];
      return this.#subscribe(channel, cursor === undefined ? undefined : parseCursor(cursor));
    };
    return Promise.all(
      channels.map(async (channel): Promise<[string, Told]> => {
        return [channel, await outcomeOrRefusal(telemetry, () => resume(channel))];
      }),
    );
  }

  async #subscribe(channel: string, since: Position | undefined): Promise<Subscription> {
    const isProject = tryParseChannel(channel)?.kind === 'project';
    if (!isProject && channel !== userChannel(this.#init.userId)) {
      throw new ProtocolError('forbidden', `${channel} is not offered here`);
    }
    const options = since === undefined ? {} : { since };
    return this.#context.hub.subscribe(this.#init.session, channel, options);
  }

  #unsubscribe(channel: string): void {
    this.#context.hub.unsubscribe(this.#init.session, channel);
  }
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

function isUnavailable(error: unknown): boolean {
  return !(error instanceof ProtocolError) || error.code === 'unavailable';
}
