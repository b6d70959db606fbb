import { connect, type Socket } from 'node:net';
import { closeCodeOf, FrameReader, type ServerFrame } from './server-frames.ts';
import { type RequestOptions, requestText } from './upgrade-request.ts';

const DEADLINE_MS = 5000;
const END_OF_HEAD = '\r\n\r\n';

/** The head of an HTTP answer. */
export interface AnswerHead {
  readonly status: number;
  /** Names are in lower case; of several headers with one name the last counts. */
  readonly headers: Readonly<Record<string, string>>;
}

/** A WebSocket client that sends any bytes, and keeps the frames that it receives. */
export class ByteClient implements Disposable {
  readonly frames: ServerFrame[] = [];
  readonly answer: Promise<AnswerHead>;
  /** Resolves with the code of the close frame. Rejects when the connection ends without one, or late. */
  readonly closed: Promise<number>;
  readonly #socket: Socket;
  readonly #waiting = new Set<(frame: ServerFrame) => void>();

  /** @param url where an HTTP server listens */
  constructor(url: string, request: RequestOptions | string) {
    const { hostname, port } = new URL(url);
    this.#socket = connect(Number(port), hostname.replace(/[[\]]/g, '')).setNoDelay();
    const head = Promise.withResolvers<AnswerHead>();
    const closed = Promise.withResolvers<number>();
    this.answer = head.promise;
    this.closed = closed.promise;
    for (const promise of [this.answer, this.closed]) promise.catch(() => {}); // whoever asks, hears of it
    const late = setTimeout(() => this.#socket.destroy(new Error('no end in time')), DEADLINE_MS);
    this.#socket.on('error', head.reject).on('error', closed.reject);
    this.#socket.once('close', () => {
      clearTimeout(late);
      const error = new Error('the connection ended');
      head.reject(error);
      closed.reject(error);
    });
    this.#read(head.resolve, closed.resolve);
    this.#socket.write(typeof request === 'string' ? request : requestText(request));
  }

  /** @throws Error unless the server upgrades */
  static async open(url: string, request: RequestOptions): Promise<ByteClient> {
    const client = new ByteClient(url, request);
    const { status } = await client.answer;
    if (status === 101) return client;
    client[Symbol.dispose]();
    throw new Error(`the upgrade was answered with ${status}`);
  }

  /** The payloads of all frames of one kind so far. */
  payloads(opcode: number): readonly Buffer[] {
    return this.frames.filter((frame) => frame.opcode === opcode).map(({ payload }) => payload);
  }

  write(...bytes: readonly Buffer[]): void {
    this.#socket.write(Buffer.concat(bytes));
  }

  /** Resolves with the first matching frame, received already or later. Rejects when the connection ends. */
  first(matches: (frame: ServerFrame) => boolean): Promise<ServerFrame> {
    const found = this.frames.find(matches);
    if (found !== undefined) return Promise.resolve(found);
    const { promise, resolve, reject } = Promise.withResolvers<ServerFrame>();
    const look = (frame: ServerFrame) => {
      if (matches(frame)) resolve(frame);
    };
    this.#waiting.add(look);
    this.#socket.once('close', () => reject(new Error('the connection ended')));
    return promise.finally(() => this.#waiting.delete(look));
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  #read(answered: (head: AnswerHead) => void, closed: (code: number) => void): void {
    const frames = new FrameReader((frame) => {
      this.frames.push(frame);
      for (const look of [...this.#waiting]) look(frame);
      const code = closeCodeOf(frame);
      if (code !== undefined) closed(code);
    });
    let head: string | undefined = '';
    this.#socket.on('data', (bytes) => {
      if (head === undefined) {
        frames.read(bytes);
        return;
      }
      head += bytes.toString('latin1');
      const end = head.indexOf(END_OF_HEAD);
      if (end < 0) return;
      const rest = Buffer.from(head.slice(end + END_OF_HEAD.length), 'latin1');
      const answer = parseHead(head.slice(0, end));
      head = undefined;
      answered(answer);
      if (answer.status === 101) frames.read(rest);
    });
  }
}

/** The head of the answer to a request, whose connection is cut then. */
export async function answerHead(
  url: string,
  request: RequestOptions | string,
): Promise<AnswerHead> {
  using client = new ByteClient(url, request);
  return await client.answer;
}

function parseHead(head: string): AnswerHead {
  const [status = '', ...lines] = head.split('\r\n');
  const headers = lines.map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  return { status: Number(status.split(' ')[1]), headers: Object.fromEntries(headers) };
}
