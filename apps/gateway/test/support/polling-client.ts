import { Agent, type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';

const SEPARATOR = '\x1e';

interface Answer {
  readonly status: number;
  readonly body: string;
}

/** The data of the first packet. */
export interface Handshake {
  readonly sid: string;
  readonly upgrades: readonly string[];
  readonly pingInterval: number;
  readonly pingTimeout: number;
  readonly maxPayload: number;
}

/** Speaks raw packets over Engine.IO's polling. */
export class PollingClient implements AsyncDisposable {
  readonly packets: string[] = [];
  readonly #url: string;
  readonly #agent = new Agent({ keepAlive: true });
  readonly handshake: Handshake;

  private constructor(url: string, handshake: Handshake) {
    this.#url = `${url}&sid=${handshake.sid}`;
    this.handshake = handshake;
  }

  static async open(gateway: string): Promise<PollingClient> {
    const url = `${gateway}/socket.io/?EIO=4&transport=polling`;
    const { body } = await send({ url, method: 'GET' });
    return new PollingClient(url, JSON.parse(body.slice(1)));
  }

  /** Joins the namespace, and polls until the session has begun. */
  async join(packet: string): Promise<void> {
    await this.post(packet);
    await this.until((each) => each.includes('"connections.count"'));
  }

  /** Polls until a packet matches. Rejects when the connection ends before. */
  async until(matches: (packet: string) => boolean): Promise<void> {
    while (!this.packets.some(matches)) {
      const { status, body } = await this.poll();
      if (status !== 200) throw new Error(`a poll was answered with ${status}`);
      this.packets.push(...body.split(SEPARATOR));
    }
  }

  /** @returns the answer, with status 0 when the connection is cut */
  post(body: string, headers = {}): Promise<Answer> {
    return this.#send('POST', body, headers);
  }

  poll(): Promise<Answer> {
    return this.#send('GET');
  }

  /** Whether the server does not know the connection any more, or is about to forget it. */
  async isGone(): Promise<boolean> {
    const { status, body } = await this.poll();
    return status !== 200 || body.split(SEPARATOR).includes('1');
  }

  #send(method: string, body?: string, headers = {}): Promise<Answer> {
    return send({ url: this.#url, method, agent: this.#agent, body, headers });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#agent.destroy();
  }
}

interface Sending {
  readonly url: string;
  readonly method: string;
  readonly agent?: Agent;
  readonly body?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

function send({ url, body, ...options }: Sending): Promise<Answer> {
  return new Promise((resolve) => {
    const cut = () => resolve({ status: 0, body: '' });
    const answered = (response: IncomingMessage) => {
      text(response).then(
        (whole) => resolve({ status: response.statusCode ?? 0, body: whole }),
        cut,
      );
    };
    request(url, options, answered).on('error', cut).end(body);
  });
}
