import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';

export const READY_TEXT = '{"ready":true}';

/** A publication as the relay has received it. */
export interface Publication {
  readonly text: string;
  readonly channel: number;
  readonly number: number;
}

/** A client of the relay; its index is what its URL says. */
export interface RelayClient {
  readonly index: number;
  readonly channels: readonly number[];
  readonly socket: WebSocket;
  /** For bytes that are not neatly one frame. */
  readonly stream: Socket;
}

/** Faults of the relay, and other ways than one frame at a time. */
export interface RelayBehaviour {
  /** Instead of sending it to a client that has subscribed to its channel. */
  deliver?(client: RelayClient, publication: Publication): void;
  /** Instead of sending the ready text. */
  welcome?(client: RelayClient): void;
  /** The answer to the publisher. */
  answer?(publication: Publication): string;
  refuse?(index: number): boolean;
  onText?(client: RelayClient, text: string): void;
}

export interface Relay extends AsyncDisposable {
  readonly address: string;
  /** Takes publications, one a line. */
  readonly publishAddress: string;
  readonly clients: readonly RelayClient[];
}

/** A WebSocket server that sends to its clients what it receives on a TCP port. */
export async function startRelay(behaviour: RelayBehaviour): Promise<Relay> {
  const clients: RelayClient[] = [];
  const server = new WebSocketServer({
    host: '127.0.0.1',
    port: 0,
    verifyClient: ({ req }, done) => done(!behaviour.refuse?.(parseUrl(req.url).index), 503),
  });
  server.on('connection', (socket, request) => {
    const client = { ...parseUrl(request.url), socket, stream: request.socket };
    clients.push(client);
    socket.on('error', () => {});
    socket.on('message', (data: RawData) => behaviour.onText?.(client, String(data)));
    if (behaviour.welcome) behaviour.welcome(client);
    else socket.send(READY_TEXT);
  });
  await once(server, 'listening');
  const publishing = await startPublishing((publication) => {
    for (const client of clients) relay(client, publication, behaviour);
    return behaviour.answer?.(publication) ?? '+OK\n';
  });
  return {
    address: addressOf(server.address()),
    publishAddress: addressOf(publishing.address()),
    clients,
    async [Symbol.asyncDispose]() {
      publishing.close();
      for (const { socket } of clients) socket.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function relay(client: RelayClient, publication: Publication, behaviour: RelayBehaviour): void {
  if (!client.channels.includes(publication.channel)) return;
  if (behaviour.deliver) behaviour.deliver(client, publication);
  else client.socket.send(publication.text);
}

async function startPublishing(take: (publication: Publication) => string) {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    createInterface(socket).on('line', (text) => socket.write(take(parse(text))));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function parse(text: string): Publication {
  const [, channel, number] = /"c":"(\d{5})","n":"(\d{10})"/.exec(text) ?? [];
  return { text, channel: Number(channel), number: Number(number) };
}

/** /INDEX/CHANNEL,CHANNEL… */
function parseUrl(url = ''): { index: number; channels: number[] } {
  const [, index, channels = ''] = url.split('/');
  return { index: Number(index), channels: channels.split(',').map(Number) };
}

function addressOf(address: AddressInfo | string | null): string {
  return `127.0.0.1:${(address as AddressInfo).port}`;
}

/** An unmasked text frame. */
export function frame(text: string): Buffer {
  const payload = Buffer.from(text);
  const { length } = payload;
  const header = Buffer.alloc(length < 126 ? 2 : length < 65536 ? 4 : 10);
  header[0] = 0x81;
  header[1] = length < 126 ? length : length < 65536 ? 126 : 127;
  if (header.length === 4) header.writeUInt16BE(length, 2);
  if (header.length === 10) header.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([header, payload]);
}
