import { once } from 'node:events';
import { WebSocket } from 'ws';

export interface Message {
  readonly type: string;
  readonly data: Record<string, unknown>;
  readonly [field: string]: unknown;
}

/** A raw client that records the messages that it receives. */
export class RawClient implements Disposable {
  readonly messages: Message[] = [];
  readonly socket: WebSocket;
  /** Resolves with the close code and the reason. */
  readonly closed: Promise<{ code: number; reason: string }>;

  constructor(gateway: string, path: string, token?: string) {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    this.socket = new WebSocket(`${gateway.replace('http', 'ws')}${path}`, { headers });
    this.socket.on('message', (data) => this.messages.push(JSON.parse(data.toString())));
    this.socket.on('error', () => {}); // `closed` reports it
    this.closed = once(this.socket, 'close').then(([code, reason]) => ({
      code: code as number,
      reason: String(reason),
    }));
  }

  say(command: object | string): void {
    this.socket.send(typeof command === 'string' ? command : JSON.stringify(command));
  }

  of(type: string): Message[] {
    return this.messages.filter((message) => message.type === type);
  }

  [Symbol.dispose](): void {
    this.socket.terminate();
  }
}
