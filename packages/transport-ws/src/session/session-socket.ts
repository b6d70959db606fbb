import { type RawData, WebSocket } from 'ws';

/** A client closes with it when it takes no message as large as one that it was sent. */
const TOO_BIG = 1009;

/** Takes what a client sends. */
export interface SocketReader {
  message(data: RawData, isBinary: boolean): void;
  /** The client has shown that it is alive, and nothing else. */
  alive(): void;
  /** The client has closed because a message was too large for it; `closed` follows. */
  tooLarge(): void;
  /** The socket is gone; called once. */
  closed(code: number, reason: Buffer): void;
}

/** A WebSocket that knows its reader, so that all sockets share the same listeners. */
export class SessionSocket extends WebSocket {
  reader: SocketReader | undefined;
  /** Whether the client has broken the protocol, so that this side closes. */
  failed = false;

  readBy(reader: SocketReader): void {
    this.reader = reader;
    this.on('message', onMessage);
    this.on('ping', onAlive);
    this.on('pong', onAlive);
    this.on('close', onClose);
  }

  /** An error of a connection is followed by its end, and its close code says why. */
  ignoreErrors(): void {
    this.removeAllListeners('error').on('error', onError);
  }
}

function onMessage(this: WebSocket, data: RawData, isBinary: boolean): void {
  (this as SessionSocket).reader?.message(data, isBinary);
}

function onAlive(this: WebSocket): void {
  (this as SessionSocket).reader?.alive();
}

function onClose(this: WebSocket, code: number, reason: Buffer): void {
  const { reader, failed } = this as SessionSocket;
  if (code === TOO_BIG && !failed) reader?.tooLarge();
  reader?.closed(code, reason);
}

function onError(this: WebSocket): void {
  (this as SessionSocket).failed = true;
}
