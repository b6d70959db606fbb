import { on, once } from 'node:events';
import { LOGS, tryParseChannel } from '@leque/protocol';
import { WebSocket } from 'ws';
import { WHERE_TO_LOOK } from './api-client.ts';
import { EarlyEvents } from './early-events.ts';
import { CommandError, EXIT } from './exit.ts';
import type { Followed, TailEvent } from './followed.ts';
import { tryParseObject } from './parse-option.ts';
import { oneLine } from './print.ts';
import { tokenForChannel } from './token-to-make.ts';

const OPEN_TIMEOUT_MS = 10_000;
/** A connection that brings nothing for this long, not even a heartbeat, counts as lost. */
const SILENCE_MS = 120_000;
/** Numbers of unprinted messages at which reading from the socket pauses and goes on. */
const READ_LIMITS = { highWaterMark: 1_000, lowWaterMark: 100 };
/** Errors of commands that may succeed later. */
const PASSING = ['unavailable', 'rate_limited', 'overloaded', 'draining', 'internal'];
/** Close codes after which a new connection would end in the same way; see docs/reconnecting.md. */
const FINAL_CODES = [1003, 1007, 1008, 1009, 4001, 4003];

export interface FollowOptions {
  /** Base URL of Leque, without a slash at its end. */
  readonly url: string;
  readonly token: string | undefined;
  readonly channel: string;
  /** Least severe level, for the channel `logs`. */
  readonly level: string | undefined;
}

interface Answer {
  readonly recovered?: boolean;
  readonly cursor?: string;
  readonly code?: string;
  readonly message?: string;
}

interface Envelope extends TailEvent {
  readonly channel?: string;
  readonly data: {
    readonly cursor?: string;
    readonly dropped?: number;
    readonly recovered?: boolean;
    readonly user_id?: string;
    readonly message?: string;
    readonly code?: string;
    readonly channels?: Readonly<Record<string, Answer>>;
  };
}

/** Follows one channel over a raw WebSocket, as any client does. */
export class FollowedChannel {
  readonly #options: FollowOptions;
  #hintMs: number | undefined;

  constructor(options: FollowOptions) {
    this.#options = options;
  }

  /** Milliseconds after which the server that closed the connection wants it back. */
  get hintMs(): number | undefined {
    return this.#hintMs;
  }

  /**
   * Follows the channel over one connection.
   * @param since cursor after which to begin, as far as the history reaches
   * @throws CommandError when the connection ends; `retryable` when another one may succeed
   */
  async *events(since: string | undefined): AsyncGenerator<Followed, never> {
    this.#hintMs = undefined; // a hint is for one reconnect only
    const socket = await this.#open();
    const silence = setTimeout(() => socket.terminate(), SILENCE_MS).unref();
    // `once` of node:events would reject on an error that precedes the close.
    const closed = new Promise<{ code: number; reason: string }>((resolve) => {
      socket.once('close', (code, reason) => resolve({ code, reason: String(reason) }));
    });
    const restart = () => silence.refresh();
    socket.on('message', restart).on('ping', restart);
    try {
      const messages = on(socket, 'message', { close: ['close'], ...READ_LIMITS });
      socket.resume();
      if (this.#projectId !== undefined) this.#subscribe(socket, since);
      const early = new EarlyEvents(since);
      const asks = this.#projectId !== undefined || since !== undefined;
      for await (const [text] of messages) {
        const followed = this.#follow(socket, { text: String(text), since });
        if (followed !== undefined) yield* asks ? early.take(followed) : [followed];
      }
    } catch (error) {
      if (error instanceof CommandError) throw error;
    } finally {
      clearTimeout(silence);
      socket.terminate();
    }
    const { code, reason } = await closed;
    throw this.#ended(code, reason);
  }

  get #projectId(): string | undefined {
    const parsed = tryParseChannel(this.#options.channel);
    return parsed?.kind === 'project' ? parsed.id : undefined;
  }

  async #open(): Promise<WebSocket> {
    const { url: base, token, channel, level } = this.#options;
    const url = new URL(`${base}/ws/${channel === LOGS ? 'logs' : 'notifications'}`);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    if (channel !== LOGS) url.searchParams.set('resume', '1'); // holds events back until the cursor is sent
    if (level !== undefined) url.searchParams.set('level', level);
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const socket = new WebSocket(url, { headers, handshakeTimeout: OPEN_TIMEOUT_MS });
    const { promise: refused, reject } = Promise.withResolvers<never>();
    socket.once('unexpected-response', (_request, response) => {
      const { statusCode = 0, socket: connection } = response;
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        connection.destroy(); // otherwise a server that keeps it open keeps this process running
        reject(this.#refused(statusCode, Buffer.concat(chunks).toString()));
      });
    });
    socket.on('error', (cause) => {
      const reason = cause.message || (cause as NodeJS.ErrnoException).code;
      const message = `${base} does not answer: ${reason}; ${WHERE_TO_LOOK}`;
      reject(new CommandError(message, { exitCode: EXIT.unreachable, retryable: true, cause }));
    });
    socket.once('open', () => socket.pause()); // until somebody listens
    await Promise.race([once(socket, 'open'), refused]);
    return socket;
  }

  #subscribe(socket: WebSocket, since: string | undefined): void {
    const subscribe = { action: 'subscribe', project_id: this.#projectId, since };
    socket.send(JSON.stringify(subscribe));
  }

  #follow(
    socket: WebSocket,
    { text, since }: { text: string; since: string | undefined },
  ): Followed | undefined {
    const { channel } = this.#options;
    const envelope = JSON.parse(text) as Envelope;
    const { type, data } = envelope;
    switch (type) {
      case 'connection':
        return this.#connected(socket, data, since);
      case 'subscribed':
        return toPosition(data);
      case 'resumed':
        return toPosition(data.channels?.[channel] ?? {});
      case 'resync':
        return envelope.channel === channel ? { kind: 'gap', cursor: data.cursor } : undefined;
      case 'live.dropped':
        if (envelope.channel !== channel) return undefined;
        return { kind: 'dropped', count: Number(data.dropped), cursor: undefined };
      default:
        // Events may have this type, too; only those have a channel.
        if (type === 'error' && envelope.channel === undefined) throw refused(data);
        if (envelope.channel !== channel) return undefined;
        return { kind: 'event', text, ...envelope };
    }
  }

  /** Asks for what came after `since` in a channel that needs no `subscribe`. */
  #connected(
    socket: WebSocket,
    { user_id: userId }: Envelope['data'],
    since: string | undefined,
  ): Followed | undefined {
    const { channel } = this.#options;
    const parsed = tryParseChannel(channel);
    if (parsed?.kind === 'project') return undefined;
    if (parsed?.kind === 'user' && parsed.id !== userId) {
      const whose = userId === undefined ? 'there is no token' : `this token is for user ${userId}`;
      const message = `${channel} is for its own user, and ${whose}${this.#tokenAdvice}`;
      throw new CommandError(message, { exitCode: EXIT.refused });
    }
    const command = { action: 'resume', cursors: { [channel]: since } };
    socket.send(since === undefined ? 'ping' : JSON.stringify(command));
    return { kind: 'ready', cursor: since };
  }

  /** The end of a sentence about a connection that has no token and needs one. */
  get #tokenAdvice(): string {
    const { token, channel } = this.#options;
    return token === undefined ? `; try ${tokenForChannel(tryParseChannel(channel))}` : '';
  }

  #refused(status: number, body: string): CommandError {
    const { detail = 'no reason given' } = tryParseObject(body) ?? {};
    // Only a publisher knows no such path.
    const elsewhere = status === 404 ? '; name a gateway or a load balancer with --url' : '';
    const advice = status === 401 ? this.#tokenAdvice : elsewhere;
    const reason = `${oneLine(String(detail))}${advice}`;
    return new CommandError(`${status} from ${this.#options.url}: ${reason}`, {
      exitCode: EXIT.refused,
      retryable: status >= 500,
    });
  }

  #ended(code: number, reason: string): CommandError {
    const isHint = (code === 1001 || code === 1012) && /^\d+$/.test(reason);
    this.#hintMs = isHint ? Number(reason) : undefined;
    const why = code === 4001 ? 'the token has expired' : reason || `code ${code}`;
    return new CommandError(`${this.#options.url} has ended the connection: ${oneLine(why)}`, {
      exitCode: EXIT.refused,
      retryable: !FINAL_CODES.includes(code),
    });
  }
}

function toPosition(answer: Answer): Followed {
  const { recovered, cursor, code } = answer;
  if (code !== undefined) throw refused(answer);
  return { kind: recovered === false ? 'gap' : 'ready', cursor, isAnswer: true };
}

function refused({ message, code = '' }: Answer): CommandError {
  const retryable = PASSING.includes(code);
  return new CommandError(`refused: ${oneLine(String(message))}`, {
    exitCode: EXIT.refused,
    retryable,
  });
}
