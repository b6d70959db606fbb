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
  let beat = encodeBeat(nodeId);
  let encodedAt = Number.NEGATIVE_INFINITY;
  return new Heartbeats(
    clock,
    { intervalMs, pingMs, timeoutMs },
    {
      beat(ws, pings) {
        const now = clock.now();
        // Connections that are due at the same time share the frames.
        if (now !== encodedAt) beat = encodeBeat(nodeId);
        encodedAt = now;
        if (pings) ws.ping(beat.withPing, 1);
        else ws.send(beat.alone);
      },
      ping: (ws) => ws.ping(PING_FRAME, 0),
      silent(ws) {
        ws.client.session.close(CLOSE.heartbeatTimeout, 'heartbeat timeout');
      },
    },
  );
}

/** The `heartbeat` event, alone and with a ping. */
function encodeBeat(node: string) {
  const alone = encodeTextFrame(encodeReply('heartbeat', { node }));
  return { alone, withPing: Buffer.concat([alone, PING_FRAME]) };
}
