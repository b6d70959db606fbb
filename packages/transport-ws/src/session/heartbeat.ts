import { encodeTextFrame, Heartbeats, PING_FRAME, type TransportContext } from '@leque/core';
import { CLOSE, encodeReply } from '@leque/protocol';
import type { WsSession } from './ws-session.ts';

/** Starts to send heartbeats, and to close silent clients. */
export function startHeartbeats({
  clock,
  limits,
  nodeId,
}: TransportContext): Heartbeats<WsSession> {
  const { heartbeatIntervalMs: intervalMs, pingIntervalMs: pingMs, timeoutMs } = limits;
  let beat: Buffer = Buffer.alloc(0);
  let encodedAt = Number.NEGATIVE_INFINITY;
  return new Heartbeats(
    clock,
    { intervalMs, pingMs, timeoutMs },
    {
      beat(ws) {
        const now = clock.now();
        // Connections that are due at the same time share the frame.
        if (now !== encodedAt) beat = encodeHeartbeat(nodeId);
        encodedAt = now;
        ws.send(beat);
      },
      ping: (ws) => ws.ping(),
      silent(ws) {
        ws.client.session.close(CLOSE.heartbeatTimeout, 'heartbeat timeout');
      },
    },
  );
}

/** The `heartbeat` event, and a ping that every WebSocket answers by itself. */
function encodeHeartbeat(node: string): Buffer {
  return Buffer.concat([encodeTextFrame(encodeReply('heartbeat', { node })), PING_FRAME]);
}
