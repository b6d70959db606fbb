import type { FloodTarget } from './flood-connection.ts';
import type { Flood } from './floods.ts';

const RETURN_MS = 100;
const PATH = '/socket.io/?EIO=4&transport=polling';

/** Posts one body after the other, and shakes hands again when its connection is closed. */
export class FloodPolling {
  readonly #target: FloodTarget;
  readonly #flood: Flood;
  readonly #ended = new AbortController();
  /** Connections made so far. */
  connects = 0;

  constructor(target: FloodTarget, flood: Flood) {
    this.#target = target;
    this.#flood = flood;
    void this.#run();
  }

  stop(): void {
    this.#ended.abort();
  }

  async #run(): Promise<void> {
    while (!this.#ended.signal.aborted) {
      try {
        await this.#floodOnce();
      } catch {
        // The connection was closed.
      }
      await new Promise((resolve) => setTimeout(resolve, RETURN_MS));
    }
  }

  async #floodOnce(): Promise<void> {
    this.connects += 1;
    const opened = await this.#send('', {});
    const { sid } = JSON.parse((await opened.text()).slice(1)) as { sid: string };
    const post = (body: string | Buffer) =>
      this.#send(`&sid=${sid}`, { method: 'POST', body: new Uint8Array(Buffer.from(body)) });
    if (this.#flood.token) {
      await post(`40/events,${JSON.stringify({ token: this.#target.token })}`);
      await this.#send(`&sid=${sid}`, {});
    }
    for (let status = 200; status === 200; ) {
      const answer = await post(this.#flood.payload);
      await answer.body?.cancel();
      status = answer.status;
    }
  }

  #send(
    query: string,
    init: { method?: string; body?: Uint8Array<ArrayBuffer> },
  ): Promise<Response> {
    const headers = { 'content-type': 'text/plain' };
    return fetch(`${this.#target.url}${PATH}${query}`, {
      ...init,
      headers,
      signal: this.#ended.signal,
    });
  }
}
