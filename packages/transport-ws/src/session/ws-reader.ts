import type { Heartbeats } from '@leque/core';
import { CLOSE } from '@leque/protocol';
import type { RawData } from 'ws';
import type { SocketReader } from './session-socket.ts';
import type { WsSession } from './ws-session.ts';

/** Takes what one client sends to its session. */
export class WsReader implements SocketReader {
  readonly #ws: WsSession;
  readonly #heartbeats: Heartbeats<WsSession>;

  constructor(ws: WsSession, heartbeats: Heartbeats<WsSession>) {
    this.#ws = ws;
    this.#heartbeats = heartbeats;
  }

  message(data: RawData, isBinary: boolean): void {
    this.alive();
    if (isBinary) this.#ws.session.close(CLOSE.unsupportedData, 'text frames only');
    else this.#ws.receive(data.toString());
  }

  alive(): void {
    this.#heartbeats.heard(this.#ws);
  }

  closed(code: number, reason: Buffer): void {
    const ws = this.#ws;
    this.#heartbeats.remove(ws);
    ws.end();
    ws.context.telemetry.report({
      type: 'session_closed',
      transport: 'ws',
      sessionId: ws.session.id,
      code,
      reason: reason.toString(),
    });
  }
}
