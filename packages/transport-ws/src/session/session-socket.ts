import { type RawData, WebSocket } from 'ws';

/** Takes what a client sends. */
export interface SocketReader {
  message(data: RawData, isBinary: boolean): void;
  /** The client has shown that it is alive, and nothing else. */
  alive(): void;
  /** The socket is gone; called once. */
  closed(code: number, reason: Buffer): void;
}

/** A WebSocket that knows its reader, so that all sockets share the same listeners. */
export class SessionSocket extends WebSocket {
  reader: SocketReader | undefined;

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
}

function onMessage(this: WebSocket, data: RawData, isBinary: boolean): void {
  (this as SessionSocket).reader?.message(data, isBinary);
}

function onAlive(this: WebSocket): void {
  (this as SessionSocket).reader?.alive();
}

function onClose(this: WebSocket, code: number, reason: Buffer): void {
  (this as SessionSocket).reader?.closed(code, reason);
}

function ignore(): void {}
