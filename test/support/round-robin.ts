import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** Whether connections rotate over the servers, or all go to the first server that accepts them. */
export type Order = 'in turn' | 'first alive';

/** A TCP load balancer that skips servers which refuse the connection. */
export class RoundRobin implements AsyncDisposable {
  readonly url: string;
  readonly #close: () => Promise<void>;

  private constructor(port: number, close: () => Promise<void>) {
    this.url = `http://127.0.0.1:${port}`;
    this.#close = close;
  }

  static async start(serverUrls: readonly string[], by: Order = 'in turn'): Promise<RoundRobin> {
    const ports = serverUrls.map((url) => Number(new URL(url).port));
    const open = new Set<Socket>();
    let turn = 0;
    const server = createServer((client) => {
      open.add(client);
      client.on('error', () => {}).once('close', () => open.delete(client));
      const order = ports.map((_, index) => ports[(turn + index) % ports.length] ?? 0);
      if (by === 'in turn') turn += 1;
      connectToFirst(order, client);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    return new RoundRobin(port, async () => {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }
}

function connectToFirst([port, ...others]: readonly number[], client: Socket): void {
  if (port === undefined) {
    client.destroy();
    return;
  }
  const server = connect(port, '127.0.0.1');
  let connected = false;
  server.once('connect', () => {
    connected = true;
    client.pipe(server).pipe(client);
  });
  client.once('close', () => server.destroy());
  server
    .on('error', () => {})
    .once('close', () => {
      if (connected || client.destroyed) client.destroy();
      else connectToFirst(others, client);
    });
}
