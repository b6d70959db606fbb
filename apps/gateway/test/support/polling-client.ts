import { Agent, type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';

const SEPARATOR = '\x1e';

interface Answer {
  readonly status: number;
  readonly body: string;
}

/** Speaks raw packets over Engine.IO's polling. */
export class PollingClient implements AsyncDisposable {
  readonly packets: string[] = [];
  readonly #url: string;
  readonly #agent = new Agent({ keepAlive: true });
  #sid = '';

  private constructor(gateway: string) {
    this.#url = `${gateway}/socket.io/?EIO=4&transport=polling`;
  }

  static async open(gateway: string): Promise<PollingClient> {
    const client = new PollingClient(gateway);
    const { body } = await client.#send('GET');
    const { sid } = JSON.parse(body.slice(1)) as { sid: string };
    client.#sid = sid;
    return client;
  }

  /** Joins the namespace, and polls until the session has begun. */
  async join(packet: string): Promise<void> {
    await this.post(packet);
    while (!this.packets.some((each) => each.includes('"connections.count"'))) {
      const { body } = await this.poll();
      this.packets.push(...body.split(SEPARATOR));
    }
  }

  /** @returns the answer, with status 0 when the connection is cut */
  post(body: string): Promise<Answer> {
    return this.#send('POST', body);
  }

  poll(): Promise<Answer> {
    return this.#send('GET');
  }

  /** Whether the server does not know the connection any more, or is about to forget it. */
  async isGone(): Promise<boolean> {
    const { status, body } = await this.poll();
    return status !== 200 || body.split(SEPARATOR).includes('1');
  }

  #send(method: string, body?: string): Promise<Answer> {
    const url = this.#sid === '' ? this.#url : `${this.#url}&sid=${this.#sid}`;
    return new Promise((resolve) => {
      const cut = () => resolve({ status: 0, body: '' });
      const answered = (response: IncomingMessage) => {
        text(response).then(
          (whole) => resolve({ status: response.statusCode ?? 0, body: whole }),
          cut,
        );
      };
      request(url, { method, agent: this.#agent }, answered).on('error', cut).end(body);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#agent.destroy();
  }
}
