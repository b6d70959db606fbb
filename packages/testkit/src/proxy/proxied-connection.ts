import { connect, type Socket } from 'node:net';
import { breakOff } from './break-off.ts';
import { type Conditions, Flow } from './flow.ts';

/** Direction in which bytes travel. */
export type Direction = 'toServer' | 'toClient';

export interface Target {
  readonly host: string;
  readonly port: number;
}

/** Each direction ends by itself, so that the last bytes reach a peer that has sent everything. */
export const BOTH_ENDS = { allowHalfOpen: true };

/** Number of the client's first bytes that are remembered. */
const REMEMBERED = 1024;

/** A client's connection to the proxy, together with the proxy's connection to the server. */
export class ProxiedConnection {
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #flows: Readonly<Record<Direction, Flow>>;
  #said = '';

  constructor(client: Socket, target: Target, conditions: Conditions) {
    this.#client = client;
    this.#server = connect({ ...target, ...BOTH_ENDS });
    this.#server.on('error', () => {}); // a broken connection is what this is for
    this.#flows = {
      toServer: new Flow(client, this.#server, conditions),
      toClient: new Flow(this.#server, client, conditions),
    };
  }

  /** Calls back for all bytes from the client, before they are passed on. */
  onSaid(listener: () => void): void {
    this.#client.prependListener('data', (chunk: Buffer) => {
      if (this.#said.length < REMEMBERED) this.#said += String(chunk);
      listener();
    });
  }

  /** Calls back when both ends are closed. */
  onClosed(listener: () => void): void {
    const isClosed = () => this.#client.closed && this.#server.closed;
    for (const socket of [this.#client, this.#server]) {
      socket.once('close', () => isClosed() && listener());
    }
  }

  hasSaid(words: string): boolean {
    return this.#said.includes(words);
  }

  stall(direction: Direction): void {
    this.#flows[direction].stall();
  }

  resume(): void {
    for (const flow of Object.values(this.#flows)) flow.resume();
  }

  /** Closes the server's side only, without a sign for the client. */
  halfOpen(): void {
    this.#flows.toServer.swallow();
    this.#flows.toClient.swallow();
    this.#server.destroy();
  }

  cut(): void {
    breakOff(this.#client);
    this.#server.destroy();
  }
}
