import { encodeTextFrame, Heartbeats, PING_FRAME } from '@leque/core';
import { CLOSE, encodeReply } from '@leque/protocol';
import type { WsContext } from './context.ts';
import type { WsSession } from './ws-session.ts';

/** Sends heartbeats and closes silent clients. */
export function startHeartbeats({ clock, limits, nodeId }: WsContext): Heartbeats<WsSession> {
  const times = { intervalMs: limits.heartbeatIntervalMs, timeoutMs: limits.timeoutMs };
  let beat: Buffer = Buffer.alloc(0);
  let encodedAt = Number.NEGATIVE_INFINITY;
  return new Heartbeats(clock, times, {
    beat(ws) {
      const now = clock.now();
      // Those that are due together share it.
      if (now !== encodedAt) beat = encodeHeartbeat(nodeId);
      encodedAt = now;
      ws.send(beat);
    },
    silent(ws) {
      ws.session.close(CLOSE.heartbeatTimeout, 'heartbeat timeout');
    },
  });
}

/** The event, and a ping that every WebSocket answers. */
function encodeHeartbeat(node: string): Buffer {
  return Buffer.concat([encodeTextFrame(encodeReply('heartbeat', { node })), PING_FRAME]);
}
