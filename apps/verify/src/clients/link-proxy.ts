import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { Random } from '@leque/testkit';
import { breakOff } from '@leque/testkit';

/** Both halves of one client's connection. */
interface Link {
  readonly client: Socket;
  readonly gateway: Socket;
}

/**
 * A TCP proxy between clients and gateways that can cut connections. Like a load balancer, it
 * sends each connection to any gateway that accepts it.
 */
export class LinkProxy implements AsyncDisposable {
  readonly url: string;
  readonly #server: Server;
  readonly #links = new Set<Link>();
  readonly #random: Random;
  #gateways: readonly URL[];
  #sticky = false;
  /** New connections are refused until this time of `performance.now()`. */
  #downUntil = 0;

  private constructor(server: Server, gateways: readonly string[], random: Random) {
    this.#server = server;
    this.#gateways = gateways.map((url) => new URL(url));
    this.#random = random;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('connection', (client) => this.#take(client));
  }

  static async start(gateways: readonly string[], random: Random): Promise<LinkProxy> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new LinkProxy(server, gateways, random);
  }

  /** Sends all connections to the same gateway while it accepts them, as HTTP polling needs. */
  static async startSticky(gateways: readonly string[], random: Random): Promise<LinkProxy> {
    const links = await LinkProxy.start(random.shuffled(gateways), random);
    links.#sticky = true;
    return links;
  }

  /** Sends new connections to another gateway. */
  turn(): void {
    const [first, ...others] = this.#gateways;
    if (first !== undefined) this.#gateways = [...others, first];
  }

  /** Cuts all connections, and refuses new ones for this time. */
  down(forMs: number): void {
    this.#downUntil = performance.now() + forMs;
    for (const { client, gateway } of this.#links) {
      breakOff(client);
      gateway.destroy();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.down(0);
    await closed;
  }

  #take(client: Socket): void {
    client.on('error', () => {}); // cut connections are expected
    client.setNoDelay(true);
    if (performance.now() < this.#downUntil) breakOff(client);
    else this.#lead(client, this.#sticky ? this.#gateways : this.#random.shuffled(this.#gateways));
  }

  #lead(client: Socket, [next, ...others]: readonly URL[]): void {
    if (next === undefined || client.destroyed) {
      client.destroy();
      return;
    }
    const gateway = connect({ host: next.hostname, port: portOf(next), noDelay: true });
    gateway.on('error', () => {});
    const tryOthers = () => {
      if (next === this.#gateways[0]) this.turn();
      this.#lead(client, others);
    };
    gateway.once('close', tryOthers);
    gateway.once('connect', () => {
      gateway.off('close', tryOthers);
      this.#join({ client, gateway });
    });
  }

  #join(link: Link): void {
    const { client, gateway } = link;
    this.#links.add(link);
    const end = () => {
      this.#links.delete(link);
      client.destroy();
      gateway.destroy();
    };
    client.once('close', end);
    gateway.once('close', end);
    if (client.destroyed || performance.now() < this.#downUntil) end();
    else client.pipe(gateway).pipe(client);
  }
}

function portOf({ port, protocol }: URL): number {
  return Number(port || (protocol === 'https:' ? 443 : 80));
}
