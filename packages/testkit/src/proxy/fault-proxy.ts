import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { breakOff } from './break-off.ts';
import type { Conditions } from './flow.ts';
import { BOTH_ENDS, type Direction, ProxiedConnection, type Target } from './proxied-connection.ts';

/**
 * A TCP proxy that disturbs its connections on demand. The bytes that it holds back are bounded for
 * each connection: beyond the bound it stops reading, like a full network.
 *
 * A client of a single server can be sent through it. A client of Sentinel or of a Cluster cannot:
 * it learns the servers' addresses from them and bypasses the proxy. There the servers themselves
 * are killed or frozen, see `startSentinel` and `startRedisCluster`.
 */
export interface FaultProxy extends AsyncDisposable {
  readonly port: number;
  /** The URL with the proxy's address. */
  through(url: string): string;
  /** Number of open connections. */
  readonly connections: number;
  /** Breaks every connection; new ones are accepted. */
  cut(): void;
  /** Breaks every connection, and each new one at once, until `restore`. */
  refuse(): void;
  /**
   * Keeps connections open, but lets nothing pass until `resume`.
   * @param said affects only connections whose client has sent this text or sends it later
   * @param direction affects only this direction
   */
  stall(said?: string, direction?: Direction): void;
  resume(): void;
  /**
   * Simulates a lost machine: clients keep their connections and never get an answer. New
   * connections are accepted and not answered either, until `restore`.
   */
  halfOpen(): void;
  /** Delays all bytes from now on by `ms`, in each direction; 0 ends it. */
  delay(ms: number): void;
  /** Limits the rate in each direction of each connection; Infinity ends it. */
  throttle(bytesPerSecond: number): void;
  /** Lets everything through again, at once. */
  restore(): void;
}

export async function startFaultProxy({ target }: { target: string }): Promise<FaultProxy> {
  const { hostname, port } = new URL(target);
  const proxy = new TcpProxy({ host: hostname, port: Number(port) });
  await proxy.listen();
  return proxy;
}

interface Stall {
  /** Text that a client has to have sent to be stalled; '' matches every client. */
  readonly said: string;
  readonly directions: readonly Direction[];
}

class TcpProxy implements FaultProxy {
  readonly #target: Target;
  readonly #server = createServer(BOTH_ENDS, (client) => this.#accept(client));
  readonly #open = new Set<ProxiedConnection>();
  readonly #conditions: Conditions = { delayMs: 0, bytesPerSecond: Number.POSITIVE_INFINITY };
  #newcomers: 'served' | 'refused' | 'unanswered' = 'served';
  #stall: Stall | undefined;

  constructor(target: Target) {
    this.#target = target;
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  through(url: string): string {
    const changed = new URL(url);
    changed.hostname = '127.0.0.1';
    changed.port = String(this.port);
    return changed.href;
  }

  get connections(): number {
    return this.#open.size;
  }

  cut(): void {
    for (const connection of this.#open) connection.cut();
  }

  refuse(): void {
    this.#newcomers = 'refused';
    this.cut();
  }

  stall(said = '', direction?: Direction): void {
    this.#stall = { said, directions: direction ? [direction] : ['toServer', 'toClient'] };
    for (const connection of this.#open) this.#stallIfMeant(connection);
  }

  resume(): void {
    this.#stall = undefined;
    for (const connection of this.#open) connection.resume();
  }

  halfOpen(): void {
    this.#newcomers = 'unanswered';
    for (const connection of this.#open) connection.halfOpen();
  }

  delay(ms: number): void {
    this.#conditions.delayMs = ms;
  }

  throttle(bytesPerSecond: number): void {
    this.#conditions.bytesPerSecond = bytesPerSecond;
  }

  restore(): void {
    this.#newcomers = 'served';
    this.delay(0);
    this.throttle(Number.POSITIVE_INFINITY);
    this.resume();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.cut();
    await closed;
  }

  #accept(client: Socket): void {
    client.on('error', () => {}); // a broken connection is what this is for
    if (this.#newcomers === 'refused') {
      breakOff(client);
      return;
    }
    const connection = new ProxiedConnection(client, this.#target, this.#conditions);
    this.#open.add(connection);
    connection.onClosed(() => this.#open.delete(connection));
    connection.onSaid(() => this.#stallIfMeant(connection));
    if (this.#newcomers === 'unanswered') connection.halfOpen();
    this.#stallIfMeant(connection);
  }

  #stallIfMeant(connection: ProxiedConnection): void {
    if (this.#stall === undefined || !connection.hasSaid(this.#stall.said)) return;
    for (const direction of this.#stall.directions) connection.stall(direction);
  }
}
