import { once } from 'node:events';
import { WebSocket } from 'ws';

/** Long enough for a gateway to accept a client on a busy machine. */
const OPEN_MS = 10_000;

/**
 * Receives events at one gateway, and takes the time of each from its own `timestamp`, in whole
 * milliseconds. Publishers run on the same machine, with the same clock.
 */
export class DeliveryTimes implements Disposable {
  readonly #socket: WebSocket;
  #times: number[] = [];

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data) => this.#received(data.toString()));
  }

  static async watch(gateway: string, token: string): Promise<DeliveryTimes> {
    const url = `${gateway.replace('http', 'ws')}/ws/notifications`;
    const socket = new WebSocket(url, { headers: { authorization: `Bearer ${token}` } });
    await once(socket, 'open', { signal: AbortSignal.timeout(OPEN_MS) });
    return new DeliveryTimes(socket);
  }

  /** The times since the last call. */
  take(): number[] {
    const times = this.#times;
    this.#times = [];
    return times;
  }

  [Symbol.dispose](): void {
    this.#socket.terminate();
  }

  #received(text: string): void {
    const now = Date.now();
    const { channel, timestamp } = JSON.parse(text) as { channel?: string; timestamp: string };
    if (channel !== undefined) this.#times.push(Math.max(0, now - Date.parse(timestamp)));
  }
}
