import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { respCommand } from './resp.ts';

const ANSWER_TIMEOUT_MS = 5000;

/** A minimal Redis client for occasional commands with simple or bulk string replies. */
export class RedisProbe implements Disposable {
  readonly #socket: Socket;
  #received = '';

  private constructor(socket: Socket) {
    this.#socket = socket.setEncoding('latin1');
  }

  static async connect(port: number): Promise<RedisProbe> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect', { signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) });
    return new RedisProbe(socket);
  }

  /** The reply as text; undefined for nil. One command at a time. @throws Error for an error reply */
  async ask(...command: readonly string[]): Promise<string | undefined> {
    this.#socket.write(respCommand(...command));
    const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
    for (;;) {
      const reply = parseReply(this.#received);
      if (reply !== undefined) {
        this.#received = '';
        if (reply.error !== undefined) throw new Error(`Redis: ${reply.error}`);
        return reply.value;
      }
      const [text] = await once(this.#socket, 'data', { signal });
      this.#received += text;
    }
  }

  /** The value of a field of INFO; empty when it is missing. */
  async info(field: string): Promise<string> {
    const text = (await this.ask('INFO')) ?? '';
    return new RegExp(`^${field}:(.*?)\\r?$`, 'm').exec(text)?.[1] ?? '';
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}

interface Reply {
  readonly value?: string;
  readonly error?: string;
}

/** Undefined while the reply is incomplete. */
export function parseReply(text: string): Reply | undefined {
  const end = text.indexOf('\r\n');
  if (end < 0) return undefined;
  const line = text.slice(1, end);
  if (text[0] === '-') return { error: line };
  if (text[0] !== '$') return { value: line };
  const length = Number(line);
  if (length < 0) return {};
  const value = text.slice(end + 2, end + 2 + length);
  return text.length < end + 2 + length + 2 ? undefined : { value };
}
