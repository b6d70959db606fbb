import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  request as openRequest,
  type Server,
  type ServerResponse,
} from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { type Duplex, pipeline } from 'node:stream';
import { withoutBase } from '@leque/service';
import { StickySessions } from './sticky-sessions.ts';

/** IPv4 first: `localhost` may mean either. */
const LOOPBACK = ['127.0.0.1', '::1'] as const;
const OF_PUBLISHER = /^\/(api|docs)(\/|\?|$)|^\/(openapi\.json)?(\?|$)/;

/** A server beneath the load balancer. */
export interface Target {
  readonly port: number;
  /** Whether it takes requests now. */
  readonly ready: boolean;
}

export interface Targets {
  readonly publisher: Target;
  readonly gateways: readonly Target[];
  /** The path that clients may write before all paths, as the servers' BASE_PATH. */
  readonly basePath?: string | undefined;
}

/**
 * Gives a cluster on this machine one address. It sends requests of the API to the publisher, and
 * clients to the gateways in turn. Requests of one polling client go to one gateway.
 */
export class LoadBalancer implements AsyncDisposable {
  readonly #targets: Targets;
  readonly #sticky = new StickySessions<Target>();
  readonly #main = this.#createServer();
  readonly #extra = this.#createServer();
  readonly #open = new Set<Duplex>();
  #turn = 0;

  constructor(targets: Targets) {
    this.#targets = targets;
  }

  get port(): number {
    return (this.#main.address() as AddressInfo).port;
  }

  /**
   * Listens on loopback, on IPv6 where the machine has it.
   * @throws the error of node:net when the port is busy
   */
  async listen(port: number): Promise<void> {
    await once(this.#main.listen(port, LOOPBACK[0]), 'listening');
    this.#extra.on('error', () => {}).listen(this.port, LOOPBACK[1]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of [this.#main, this.#extra]) {
      server.close();
      server.closeAllConnections();
    }
    for (const socket of this.#open) socket.destroy();
  }

  #createServer(): Server {
    // A tunnel would take all later requests of the connection to one process, so only WebSockets get one.
    const shouldUpgradeCallback = ({ headers }: IncomingMessage) =>
      headers.upgrade?.toLowerCase() === 'websocket';
    const options = { requestTimeout: 0, shouldUpgradeCallback };
    const server = createServer(options, (request, response) => this.#forward(request, response));
    return server.on('upgrade', (request, socket, head) => this.#tunnel(request, socket, head));
  }

  #targetFor(url: string): Target | undefined {
    const { publisher, gateways } = this.#targets;
    if (OF_PUBLISHER.test(url)) return publisher;
    const known = this.#sticky.find(url);
    if (known !== undefined) return known.ready ? known : undefined;
    const ready = gateways.filter((gateway) => gateway.ready);
    const next = ready[this.#turn % ready.length];
    this.#turn += 1;
    return next;
  }

  #urlOf({ url = '/' }: IncomingMessage): string {
    const { basePath } = this.#targets;
    return basePath === undefined ? url : withoutBase(url, basePath);
  }

  #forward(request: IncomingMessage, response: ServerResponse): void {
    const url = this.#urlOf(request);
    const target = this.#targetFor(url);
    if (target === undefined) {
      refuse(response);
      return;
    }
    const upstream = openRequest({
      host: LOOPBACK[0],
      port: target.port,
      method: request.method,
      path: request.url,
      headers: withoutTrailer(request.rawHeaders),
    });
    upstream.once('response', (answer) => {
      this.#sticky.learn(url, answer, target);
      response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
      // Destroys the response when the server dies within the body.
      pipeline(answer, response, () => {});
    });
    upstream.once('error', () => refuse(response));
    response.once('close', () => upstream.destroy());
    request.pipe(upstream);
  }

  /** Sends the head of the request on as it was, and then bytes in both directions. */
  #tunnel(request: IncomingMessage, client: Duplex, head: Buffer): void {
    const target = this.#targetFor(this.#urlOf(request));
    this.#open.add(client);
    client.on('error', () => {}).once('close', () => this.#open.delete(client));
    if (target === undefined) {
      client.end('HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\n\r\n');
      return;
    }
    const server = connect(target.port, LOOPBACK[0]);
    server.on('error', () => {}).once('close', () => client.destroy());
    client.once('close', () => server.destroy());
    server.write(headOf(request));
    server.write(head);
    client.pipe(server).pipe(client);
  }
}

/** Trailers are not sent on, and node:http throws where a header announces some without chunks. */
function withoutTrailer(rawHeaders: readonly string[]): string[] {
  const isKept = (index: number) => rawHeaders[index - (index % 2)]?.toLowerCase() !== 'trailer';
  return rawHeaders.filter((_, index) => isKept(index));
}

function headOf({ method, url, httpVersion, rawHeaders }: IncomingMessage): string {
  const lines = rawHeaders.flatMap((name, index) =>
    index % 2 === 0 ? [`${name}: ${rawHeaders[index + 1]}`] : [],
  );
  return `${method} ${url} HTTP/${httpVersion}\r\n${lines.join('\r\n')}\r\n\r\n`;
}

function refuse(response: ServerResponse): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.writeHead(503, { 'retry-after': '1', 'content-type': 'application/problem+json' });
  response.end(
    JSON.stringify({
      type: 'about:blank',
      title: 'unavailable',
      status: 503,
      detail: 'no process of the cluster is ready to answer this; try again',
      code: 'unavailable',
    }),
  );
}
