import { on, once } from 'node:events';
import { LOGS, tryParseChannel } from '@leque/protocol';
import { WebSocket } from 'ws';
import { CommandError, EXIT } from './api-client.ts';

const OPEN_TIMEOUT_MS = 10_000;
/** Nothing is heard for so long, heartbeats included: the connection is gone without a word. */
const SILENCE_MS = 120_000;
/** Messages that wait to be printed before the socket is read no further. */
const WAITING = { highWaterMark: 1_000, lowWaterMark: 100 };
/** After which coming back would end in the same way; see docs/reconnecting.md. */
const FINAL = [1003, 1007, 1008, 1009, 4001, 4003];

export interface FollowOptions {
  readonly origin: string;
  readonly token: string | undefined;
  readonly channel: string;
  /** Of logs, and above. */
  readonly level: string | undefined;
}

export interface TailEvent {
  readonly type: string;
  readonly timestamp: string;
  readonly data: unknown;
  readonly cursor?: string;
}

/** What a channel brings: where it stands, events, and that some of them are lost for good. */
export type Followed =
  | { readonly kind: 'ready' | 'gap'; readonly cursor: string | undefined }
  | ({ readonly kind: 'event'; readonly text: string } & TailEvent);

interface Envelope extends TailEvent {
  readonly channel?: string;
  readonly data: {
    readonly cursor?: string;
    readonly recovered?: boolean;
    readonly user_id?: string;
    readonly message?: string;
    readonly channels?: Readonly<Record<string, { recovered?: boolean; cursor?: string }>>;
  };
}

/** One channel over a raw WebSocket, as clients of the contract follow it. */
export class FollowedChannel {
  readonly #options: FollowOptions;
  #hintMs: number | undefined;

  constructor(options: FollowOptions) {
    this.#options = options;
  }

  /** When the server that closed the connection wants it back. */
  get hintMs(): number | undefined {
    return this.#hintMs;
  }

  /**
   * One connection, to its end.
   * @param since begins after it, as far as the history reaches
   * @throws CommandError when it ends; `passing` when it may help to come back
   */
  async *events(since: string | undefined): AsyncGenerator<Followed, never> {
    this.#hintMs = undefined; // it was for once
    const socket = await this.#open();
    const silence = setTimeout(() => socket.terminate(), SILENCE_MS).unref();
    // Not `once`, which fails with an error before it.
    const closed = new Promise<{ code: number; reason: string }>((resolve) => {
      socket.once('close', (code, reason) => resolve({ code, reason: String(reason) }));
    });
    const beat = () => silence.refresh();
    socket.on('message', beat).on('ping', beat);
    try {
      const messages = on(socket, 'message', { close: ['close'], ...WAITING });
      socket.resume();
      if (this.#projectId !== undefined) this.#subscribe(socket, since);
      for await (const [text] of messages) {
        const followed = this.#follow(socket, { text: String(text), since });
        if (followed !== undefined) yield followed;
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
    const { origin, token, channel, level } = this.#options;
    const url = new URL(channel === LOGS ? '/ws/logs' : '/ws/notifications', origin);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    if (channel !== LOGS) url.searchParams.set('resume', '1'); // nothing flows before the cursor has come
    if (level !== undefined) url.searchParams.set('level', level);
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const socket = new WebSocket(url, { headers, handshakeTimeout: OPEN_TIMEOUT_MS });
    const { promise: refused, reject } = Promise.withResolvers<never>();
    socket.once('unexpected-response', (_request, response) => {
      const { statusCode = 0, socket: connection } = response;
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        connection.destroy(); // a server that keeps it open would keep this process
        reject(this.#refused(statusCode, Buffer.concat(chunks).toString()));
      });
    });
    socket.on('error', (cause) => {
      const message = `${origin} does not answer: ${cause.message || (cause as NodeJS.ErrnoException).code}`;
      reject(new CommandError(message, { exitCode: EXIT.unreachable, passing: true, cause }));
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
        return standing(data);
      case 'resumed':
        return standing(data.channels?.[channel] ?? {});
      case 'resync':
        return envelope.channel === channel ? { kind: 'gap', cursor: data.cursor } : undefined;
      case 'error':
        throw new CommandError(`refused: ${data.message}`, { exitCode: EXIT.refused });
      default:
        if (envelope.channel !== channel) return undefined;
        return { kind: 'event', text, ...envelope };
    }
  }

  /** Channels that are subscribed by themselves: from here on, or from the cursor. */
  #connected(
    socket: WebSocket,
    { user_id: userId }: Envelope['data'],
    since: string | undefined,
  ): Followed | undefined {
    const { channel } = this.#options;
    const parsed = tryParseChannel(channel);
    if (parsed?.kind === 'project') return undefined;
    if (parsed?.kind === 'user' && parsed.id !== userId) {
      const who = userId === undefined ? 'nobody' : `user ${userId}`;
      throw new CommandError(`${channel} is for its own user, and this token is of ${who}`, {
        exitCode: EXIT.refused,
      });
    }
    const command = { action: 'resume', cursors: { [channel]: since } };
    socket.send(since === undefined ? 'ping' : JSON.stringify(command));
    return { kind: 'ready', cursor: since };
  }

  #refused(status: number, body: string): CommandError {
    const { detail = '' } = parseObject(body);
    return new CommandError(`${status} from ${this.#options.origin}: ${detail}`, {
      exitCode: EXIT.refused,
      passing: status >= 500,
    });
  }

  #ended(code: number, reason: string): CommandError {
    const isHint = (code === 1001 || code === 1012) && /^\d+$/.test(reason);
    this.#hintMs = isHint ? Number(reason) : undefined;
    const why = code === 4001 ? 'the token has expired' : reason || `code ${code}`;
    return new CommandError(`${this.#options.origin} has ended the connection: ${why}`, {
      exitCode: EXIT.refused,
      passing: !FINAL.includes(code),
    });
  }
}

function standing({ recovered, cursor }: { recovered?: boolean; cursor?: string }): Followed {
  return { kind: recovered === false ? 'gap' : 'ready', cursor };
}

function parseObject(text: string): { readonly detail?: string } {
  try {
    return JSON.parse(text) as { readonly detail?: string };
  } catch {
    return {};
  }
}
