import type { Socket } from 'node:net';
import {
  FrameGate,
  type FrameParser,
  type GatedSocket,
  guardParser,
  type InputContext,
  type ParserGuard,
  parseFrames,
} from '@leque/core';
import { type RawData, WebSocket } from 'ws';

/** A client closes with it when it takes no message as large as one that it was sent. */
const TOO_BIG = 1009;

const FIN_PONG = 0x8a;
/** The mask bit, and a length of 0. */
const MASKED = 0x80;
const MASKED_HEADER_BYTES = 6;

/** Takes what a client sends. */
export interface SocketReader {
  message(data: RawData, isBinary: boolean): void;
  /** The client has shown that it is alive, and nothing else. */
  alive(): void;
  /**
   * Called for a pong without a payload from the client. Returns false when the pong answers no ping; it is
   * then charged and parsed like any other frame.
   */
  pong(): boolean;
  /** The client has closed because a message was too large for it; `closed` follows. */
  tooLarge(): void;
  /** The client goes on sending more than its budget allows; nothing is read any more. */
  flooded(): void;
  /**
   * The client has broken the protocol; nothing is read any more. `close` is to be called, once what the
   * client sent before is answered.
   */
  violated(close: () => void): void;
  /** The socket is gone; called once. */
  closed(code: number, reason: Buffer): void;
}

type Done = (error?: Error | null) => void;

/** The fields of a WebSocket that the types of `ws` hide. */
interface Internals {
  /** The stream that parses frames. */
  readonly _receiver: FrameParser;
  readonly _socket: Socket;
  setSocket(tcp: Socket, head: Buffer, options: object): void;
}

/** The options of `ws`, and what the budgets of its sockets share. */
export interface SessionSocketOptions {
  readonly input: InputContext;
}

/**
 * A WebSocket that knows its reader, so that all sockets share the same listeners, and that reads no
 * more than the budget of its client allows.
 */
export class SessionSocket extends WebSocket implements GatedSocket, ParserGuard {
  reader: SocketReader | undefined;
  readonly #input: InputContext;
  /** Undefined while the client sends nothing but answers to pings, as most clients do. */
  #gate: FrameGate | undefined;
  /** Whether the parser has failed, and the close frame that follows is not on its way. */
  #violation = false;
  /** Why this side closed it, when nothing was read after that. */
  #verdict: { readonly code: number; readonly reason: Buffer } | undefined;

  /** Called by `ws`, whose types know the sockets of clients only. */
  constructor(_address: null, _protocols: undefined, options: SessionSocketOptions) {
    super(null as unknown as string, undefined, options as object);
    this.#input = options.input;
  }

  readBy(reader: SocketReader): void {
    this.reader = reader;
    this.on('message', onMessage);
    this.on('ping', onAlive);
    this.on('pong', onAlive);
    this.on('close', onClose);
  }

  /** An error of a connection is followed by its end, and its close code says why. */
  ignoreErrors(): void {
    this.removeAllListeners('error').on('error', ignore);
  }

  /** Called by `ws` once the upgrade is complete. */
  setSocket(tcp: Socket, head: Buffer, options: object): void {
    internals(WebSocket.prototype).setSocket.call(this, tcp, head, options);
    guardParser(internals(this)._receiver, this);
  }

  takes(bytes: Buffer): boolean {
    if (!isEmptyPong(bytes)) return false;
    if (this.#gate?.atRest) this.#gate = undefined;
    return this.#gate === undefined && this.reader?.pong() === true;
  }

  receive(bytes: Buffer, done: Done): void {
    this.#openGate().write(bytes, done);
  }

  parse(bytes: Buffer, done: Done): void {
    parseFrames(internals(this)._receiver, bytes, (error) => {
      this.#violation ||= Boolean(error);
      done(error);
    });
  }

  get gone(): boolean {
    return internals(this)._socket.destroyed;
  }

  /** Charges what inflating has added to a message of `bytes` bytes. */
  inflated(bytes: number): void {
    if (this.extensions !== '') this.#gate?.charge(bytes);
  }

  flooded(): void {
    if (this.reader === undefined) this.close();
    else this.reader.flooded();
  }

  /** Stops to read and to parse. Call it before `close` when the client has earned it. */
  stop(): void {
    this.#openGate().stop();
  }

  /** Called by `ws`, too, when the parser has failed. */
  override close(code?: number, reason: string | Buffer = ''): void {
    if (this.#violation && this.reader !== undefined) {
      this.#violation = false;
      this.#input.clock.defer(() => this.pause()); // `ws` reads on after an error of its parser
      this.reader.violated(() => this.close(code, reason));
    } else this.#close(code, reason);
  }

  #close(code: number | undefined, reason: string | Buffer): void {
    super.close(code, reason);
    if (!this.#gate?.stopped || this.#verdict !== undefined) return;
    this.#verdict = { code: code ?? 1005, reason: Buffer.from(reason) };
    this.#gate.end(internals(this)._socket);
  }

  #openGate(): FrameGate {
    this.#gate ??= new FrameGate(this, this.#input);
    return this.#gate;
  }

  ended(code: number, reason: Buffer): void {
    if (code === TOO_BIG && this.#verdict === undefined) this.reader?.tooLarge();
    const verdict = this.#verdict ?? { code, reason };
    this.reader?.closed(verdict.code, verdict.reason);
  }
}

function internals(socket: WebSocket): Internals {
  return socket as unknown as Internals;
}

/** Whether the bytes are one whole frame of a client, a pong without a payload. */
function isEmptyPong(bytes: Buffer): boolean {
  return bytes.length === MASKED_HEADER_BYTES && bytes[0] === FIN_PONG && bytes[1] === MASKED;
}

function onMessage(this: WebSocket, data: RawData, isBinary: boolean): void {
  const socket = this as SessionSocket;
  socket.inflated((data as Buffer).length);
  if (isBinary) socket.stop();
  socket.reader?.message(data, isBinary);
}

function onAlive(this: WebSocket): void {
  (this as SessionSocket).reader?.alive();
}

function onClose(this: WebSocket, code: number, reason: Buffer): void {
  (this as SessionSocket).ended(code, reason);
}

function ignore(): void {}
