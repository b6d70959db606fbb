import { io as ioNewest } from 'socket.io-client';
import { io as io313 } from 'socket.io-client-3.1.3';
import { io as io402 } from 'socket.io-client-4.0.2';
import { io as io454 } from 'socket.io-client-4.5.4';
import { io as io460 } from 'socket.io-client-4.6.0';
import { Inbox } from './inbox.ts';

/** The official clients by version; the tests use only what they have in common. */
export const CLIENTS = {
  '3.1.3': io313,
  '4.0.2': io402,
  '4.5.4': io454 as unknown as typeof ioNewest,
  '4.6.0': io460 as unknown as typeof ioNewest,
  newest: ioNewest,
} as const;
export type ClientVersion = keyof typeof CLIENTS;
export type Transport = 'websocket' | 'polling';

export interface SocketOptions {
  readonly client?: ClientVersion;
  readonly transport?: Transport;
  /** Sent in `auth.token`. */
  readonly token?: string;
  readonly auth?: Readonly<Record<string, unknown>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly namespace?: string;
  readonly reconnection?: boolean;
}

export interface Emitted {
  readonly name: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** An official Socket.IO client that keeps everything it receives. */
export class SocketClient implements AsyncDisposable {
  readonly inbox = new Inbox<Emitted>();
  readonly socket: ReturnType<typeof ioNewest>;

  private constructor(url: string, options: SocketOptions) {
    const { client = 'newest', transport = 'websocket', namespace = '/events' } = options;
    const { token, auth, query = {}, headers = {}, reconnection = false } = options;
    this.socket = CLIENTS[client](url + namespace, {
      transports: [transport],
      forceNew: true,
      reconnection,
      auth: { ...(token !== undefined && { token }), ...auth },
      query,
      extraHeaders: headers,
    });
    this.socket.onAny((name: string, payload: Emitted['payload']) => {
      this.inbox.put({ name, payload });
    });
  }

  /** Resolves once the server has sent `connected`. */
  static async connect(url: string, options: SocketOptions): Promise<SocketClient> {
    const client = new SocketClient(url, options);
    const refused = new Promise<never>((_, reject) => client.socket.once('connect_error', reject));
    try {
      await Promise.race([client.first('connected'), refused]);
    } catch (error) {
      client.socket.disconnect();
      throw error;
    }
    return client;
  }

  /** The error with which the server refuses the connection. */
  static async refusal(url: string, options: SocketOptions): Promise<Error> {
    const client = new SocketClient(url, options);
    try {
      return await new Promise<Error>((resolve, reject) => {
        client.socket.once('connect_error', resolve);
        client.socket.once('connect', () => reject(new Error('was not refused')));
      });
    } finally {
      client.socket.disconnect();
    }
  }

  get events(): readonly Emitted[] {
    return this.inbox.items;
  }

  /** The payloads of all events of a name so far. */
  all(name: string): Emitted['payload'][] {
    return this.events.filter((event) => event.name === name).map(({ payload }) => payload);
  }

  /** The payload of the first matching event of a name, received already or soon. */
  async first(
    name: string,
    matches: (payload: Emitted['payload']) => boolean = () => true,
  ): Promise<Emitted['payload']> {
    const found = await this.inbox.first((event) => event.name === name && matches(event.payload));
    return found.payload;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.disconnect();
  }
}
