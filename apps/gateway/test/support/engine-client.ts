import { once } from 'node:events';
import { WebSocket } from 'ws';

/** Speaks raw Socket.IO packets, as a hostile client does. */
export class EngineClient implements Disposable {
  readonly packets: string[] = [];
  readonly socket: WebSocket;
  /** Undefined until the server has closed it. */
  closeCode: number | undefined;
  /** Resolves with the code. */
  readonly closed: Promise<number>;
  readonly #waiting = new Set<() => void>();

  private constructor(gateway: string, query: string) {
    this.socket = new WebSocket(`${gateway.replace('http', 'ws')}/socket.io/?${query}`);
    this.socket.on('message', (data) => {
      this.packets.push(data.toString());
      for (const look of [...this.#waiting]) look();
    });
    this.socket.on('error', () => {}); // a close event follows
    this.closed = once(this.socket, 'close').then(([code]) => {
      this.closeCode = code;
      return code;
    });
  }

  /** Resolves when the socket is open, before it joins the namespace. */
  static async open(gateway: string, query = 'EIO=4&transport=websocket'): Promise<EngineClient> {
    const client = new EngineClient(gateway, query);
    await once(client.socket, 'open');
    return client;
  }

  /** Joins the namespace; resolves when the session has begun. */
  async join(packet: string): Promise<void> {
    this.say(packet);
    await this.first('42/events,["connections.count"');
  }

  say(...packets: (string | Buffer)[]): void {
    for (const packet of packets) this.socket.send(packet);
  }

  /** The first packet that begins like this, received already or later. Rejects when the socket closes. */
  async first(start: string): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const look = () => {
      const packet = this.packets.find((each) => each.startsWith(start));
      if (packet !== undefined) resolve(packet);
    };
    this.#waiting.add(look);
    look();
    void this.closed.then((code) => reject(new Error(`closed with ${code} before "${start}…"`)));
    return promise.finally(() => this.#waiting.delete(look));
  }

  /** The payloads of all events with this name so far. */
  of(name: string): Record<string, unknown>[] {
    return this.#events(name).map(([, payload]) => payload);
  }

  /** The offsets of these events, which are their last arguments. */
  offsetsOf(name: string): (string | undefined)[] {
    return this.#events(name).map(([, , offset]) => offset);
  }

  /** The payload of the CONNECT packet, undefined until it arrives. */
  connected(): { sid?: string; pid?: string } {
    const start = '40/events,';
    const packet = this.packets.find((each) => each.startsWith(start));
    return packet === undefined ? {} : JSON.parse(packet.slice(start.length));
  }

  #events(name: string): [string, Record<string, unknown>, string | undefined][] {
    const start = '42/events,';
    return this.packets
      .filter((packet) => packet.startsWith(`${start}["${name}",`))
      .map((packet) => JSON.parse(packet.slice(start.length)));
  }

  [Symbol.dispose](): void {
    this.socket.terminate();
  }
}
