import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { type ClientOptions, WebSocket } from 'ws';
import { Inbox } from './inbox.ts';

/** The envelope of messages to raw clients. */
export interface Envelope {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly timestamp: string;
  readonly message_id: string;
  readonly id?: string | number;
  readonly project_id?: string;
  readonly story_id?: string;
  readonly user_id?: string;
  readonly channel?: string;
  readonly cursor?: string;
}

export interface RawOptions extends ClientOptions {
  readonly token?: string;
  readonly protocols?: string[];
}

export interface Refusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** A raw WebSocket client that keeps everything it receives. */
export class RawClient implements AsyncDisposable {
  readonly inbox = new Inbox<Envelope>();
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly socket: WebSocket;
  #lastId = 0;

  private constructor(url: string, options: RawOptions) {
    this.socket = createSocket(url, options);
    this.socket.on('message', (text: Buffer) => this.inbox.put(envelopeOf(text.toString())));
    this.socket.on('error', () => {}); // followed by close
    this.closed = new Promise((resolve) => {
      this.socket.once('close', (code, reason) => resolve({ code, reason: String(reason) }));
    });
  }

  /** Resolves once the server has sent `connection`. */
  static async connect(url: string, options: RawOptions = {}): Promise<RawClient> {
    const client = await RawClient.open(url, options);
    await client.first('connection');
    return client;
  }

  /** Resolves once the socket is open. */
  static async open(url: string, options: RawOptions = {}): Promise<RawClient> {
    const client = new RawClient(url, options);
    if (client.socket.readyState === WebSocket.CONNECTING) await once(client.socket, 'open');
    return client;
  }

  /** The HTTP answer of a refused upgrade. */
  static async refusal(url: string, options: RawOptions = {}): Promise<Refusal> {
    const socket = createSocket(url, options);
    const refused = once(socket, 'unexpected-response');
    const opened = once(socket, 'open').then(() => {
      socket.terminate();
      throw new Error(`${url} was not refused`);
    });
    opened.catch(() => {});
    const [request, response] = (await Promise.race([refused, opened])) as [
      { destroy(): void },
      IncomingMessage,
    ];
    request.destroy();
    return { status: response.statusCode ?? 0, headers: response.headers };
  }

  get events(): readonly Envelope[] {
    return this.inbox.items;
  }

  /** All events of a type so far. */
  all(type: string): Envelope[] {
    return this.events.filter((event) => event.type === type);
  }

  /** The first event of a type or that matches, received already or soon. */
  first(match: string | ((event: Envelope) => boolean), deadlineMs?: number): Promise<Envelope> {
    const matches = typeof match === 'string' ? (event: Envelope) => event.type === match : match;
    return this.inbox.first(matches, deadlineMs);
  }

  send(message: string | Buffer | object): void {
    const raw = typeof message === 'string' || Buffer.isBuffer(message);
    this.socket.send(raw ? message : JSON.stringify(message));
  }

  /** Sends a command and waits for its answer, which may be an error. */
  async ask(command: object): Promise<Envelope> {
    this.#lastId += 1;
    const id = `request-${this.#lastId}`;
    this.send({ ...command, id });
    return this.first((event) => event.id === id);
  }

  async subscribe(projectId: string, since?: string): Promise<Envelope> {
    return this.ask({ action: 'subscribe', project_id: projectId, since });
  }

  async close(): Promise<void> {
    this.socket.close();
    await this.closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.terminate();
    await this.closed;
  }
}

/** Turns `http://host` into `ws://host` with a path. */
export function wsUrl(httpUrl: string, path: string): string {
  return httpUrl.replace(/^http/, 'ws') + path;
}

function envelopeOf(text: string): Envelope {
  try {
    return JSON.parse(text);
  } catch {
    return { type: 'not JSON', data: { text }, timestamp: '', message_id: '' };
  }
}

function createSocket(url: string, { token, protocols, ...options }: RawOptions): WebSocket {
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return new WebSocket(url, protocols ?? [], {
    ...options,
    headers: { ...authorization, ...options.headers },
  });
}
