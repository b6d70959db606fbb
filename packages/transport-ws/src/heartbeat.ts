import { type Cancel, every } from '@leque/core';
import { CLOSE, encodeReply, encodeTextFrame, PING_FRAME } from '@leque/protocol';
import type { WsContext } from './context.ts';
import type { WsSession } from './ws-session.ts';

/** How often all connections are looked at, within an interval; bounds what it costs. */
const LOOKS_PER_INTERVAL = 8;
const MAX_LOOK_MS = 1000;

/** Sends heartbeats and closes silent clients, with one timer for all connections. */
export class Heartbeat {
  readonly #context: WsContext;
  /** Each connection and when its next heartbeat is due. */
  readonly #dueAt = new Map<WsSession, number>();
  readonly #stop: Cancel;

  constructor(context: WsContext) {
    this.#context = context;
    const { heartbeatIntervalMs, timeoutMs } = context.limits;
    const lookMs = Math.min(heartbeatIntervalMs, timeoutMs) / LOOKS_PER_INTERVAL;
    this.#stop = every(context.clock, Math.min(lookMs, MAX_LOOK_MS), () => this.#look());
  }

  add(ws: WsSession): void {
    // Spread, so that clients that came together after a deploy do not beat together for ever.
    const { heartbeatIntervalMs } = this.#context.limits;
    const first = heartbeatIntervalMs * (0.5 + Math.random() / 2);
    this.#dueAt.set(ws, this.#context.clock.now() + first);
  }

  remove(ws: WsSession): void {
    this.#dueAt.delete(ws);
  }

  close(): void {
    this.#stop();
  }

  #look(): void {
    const now = this.#context.clock.now();
    const { heartbeatIntervalMs, timeoutMs } = this.#context.limits;
    const heartbeat = encodeTextFrame(encodeReply('heartbeat', { node: this.#context.nodeId }));
    const beat = Buffer.concat([heartbeat, PING_FRAME]);
    for (const [ws, dueAt] of this.#dueAt) {
      if (now - ws.lastSeenAt >= timeoutMs) {
        ws.session.close(CLOSE.heartbeatTimeout, 'heartbeat timeout');
      } else if (now >= dueAt) {
        this.#dueAt.set(ws, now + heartbeatIntervalMs);
        ws.send(beat);
      }
    }
  }
}
