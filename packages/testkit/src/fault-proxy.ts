import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A TCP proxy that breaks what passes through it, on demand. */
export interface FaultProxy extends AsyncDisposable {
  readonly port: number;
  /** The same URL, by way of this proxy. */
  through(url: string): string;
  /** Open connections. */
  readonly connections: number;
  /** Breaks every connection; new ones are accepted. */
  cut(): void;
  /** Breaks every connection, and new ones at once, until `restore`. */
  refuse(): void;
  /**
   * Leaves the connections open, but nothing passes in either direction, until `resume`.
   * @param said only those whose client has said this, or says it from now on
   */
  stall(said?: string): void;
  resume(): void;
  /** Lets everything through again. */
  restore(): void;
}

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  /** The beginning of what the client said. */
  said: string;
}

const REMEMBERED = 1024;

export async function startFaultProxy({ target }: { target: string }): Promise<FaultProxy> {
  const { hostname, port: targetPort } = new URL(target);
  const pairs = new Set<Pair>();
  let refusing = false;
  /** What a client has to have said to be stalled; everybody has said ''. */
  let stalled: string | undefined;
  const isStalled = ({ said }: Pair) => stalled !== undefined && said.includes(stalled);

  const server = createServer((client) => {
    client.on('error', () => {}); // a broken connection is what this is for
    if (refusing) return void client.resetAndDestroy();
    const upstream = connect(Number(targetPort), hostname);
    upstream.on('error', () => {});
    const pair = { client, server: upstream, said: '' };
    pairs.add(pair);
    client.on('data', (chunk) => {
      if (pair.said.length < REMEMBERED) pair.said += String(chunk);
      if (isStalled(pair)) part(pair);
    });
    const end = () => {
      pairs.delete(pair);
      client.destroy();
      upstream.destroy();
    };
    client.on('close', end);
    upstream.on('close', end);
    if (isStalled(pair)) part(pair);
    else join(pair);
    return undefined;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  const cut = () => {
    for (const { client, server: upstream } of pairs) {
      client.resetAndDestroy();
      upstream.destroy();
    }
  };
  const resume = () => {
    const parted = [...pairs].filter(isStalled);
    stalled = undefined;
    for (const pair of parted) join(pair);
  };
  return {
    port,
    through(url) {
      const changed = new URL(url);
      changed.hostname = '127.0.0.1';
      changed.port = String(port);
      return changed.href;
    },
    get connections() {
      return pairs.size;
    },
    cut,
    refuse() {
      refusing = true;
      cut();
    },
    stall(said = '') {
      stalled = said;
      for (const pair of pairs) if (isStalled(pair)) part(pair);
    },
    resume,
    restore() {
      refusing = false;
      resume();
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      cut();
      await closed;
    },
  };
}

function join({ client, server }: Pair): void {
  client.pipe(server);
  server.pipe(client);
}

function part({ client, server }: Pair): void {
  for (const socket of [client, server]) {
    socket.unpipe();
    socket.pause();
  }
}
