import { once } from 'node:events';
import { expect } from 'vitest';
import { WebSocket } from 'ws';

/** Speaks raw Socket.IO packets, as a hostile client does. */
export class EngineClient implements Disposable {
  readonly packets: string[] = [];
  readonly socket: WebSocket;
  /** Undefined until the server has closed it. */
  closeCode: number | undefined;

  private constructor(gateway: string) {
    const url = `${gateway.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`;
    this.socket = new WebSocket(url);
    this.socket.on('message', (data) => this.packets.push(data.toString()));
    this.socket.on('error', () => {}); // a close event follows
    this.socket.once('close', (code) => {
      this.closeCode = code;
    });
  }

  /** Resolves when the socket is open, before it joins the namespace. */
  static async open(gateway: string): Promise<EngineClient> {
    const client = new EngineClient(gateway);
    await once(client.socket, 'open');
    return client;
  }

  /** Joins the namespace; resolves when the session has begun. */
  async join(packet: string): Promise<void> {
    this.say(packet);
    await expect.poll(() => this.of('connections.count')).toHaveLength(1);
  }

  say(...packets: (string | Buffer)[]): void {
    for (const packet of packets) this.socket.send(packet);
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
