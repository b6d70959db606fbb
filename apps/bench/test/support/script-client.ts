import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect } from 'vitest';
import type { ClientScript } from '../../src/targets/target.ts';

const HEAD_END = '\r\n\r\n';
const PATIENCE = { timeout: 10_000 };

/** Sends bytes to a `host:port` and keeps what comes back. */
export class ScriptClient implements AsyncDisposable {
  readonly #socket: Socket;
  #received = '';

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('latin1').on('data', (text: string) => {
      this.#received += text;
    });
  }

  static async connect(address: string): Promise<ScriptClient> {
    const [host = '', port = ''] = address.split(':');
    const socket = connect(Number(port), host);
    await once(socket, 'connect');
    return new ScriptClient(socket);
  }

  /** A client of a target that has been told that it is ready. */
  static async ready(address: string, script: ClientScript): Promise<ScriptClient> {
    const client = await ScriptClient.connect(address);
    client.send(script.request);
    await client.receives(HEAD_END);
    expect(client.received).toMatch(/^HTTP\/1\.1 101 /);
    client.send(script.afterUpgrade);
    await client.receives(script.ready);
    return client;
  }

  get received(): string {
    return this.#received;
  }

  send(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  /** Waits until it has received `text`, this many times in all. */
  async receives(text: string, times = 1): Promise<void> {
    const count = () => this.#received.split(text).length - 1;
    await expect.poll(count, PATIENCE).toBe(times);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
  }
}
