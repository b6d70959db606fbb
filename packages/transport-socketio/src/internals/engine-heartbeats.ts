import {
  type Clock,
  encodeTextFrame,
  type HeartbeatState,
  Heartbeats,
  type HeartbeatTimes,
  type SocketWriter,
} from '@leque/core';
import { directSocket } from './direct-path.ts';
import { type EngineSocket, engineOf } from './private-fields.ts';

export type HeartbeatSocket = EngineSocket &
  HeartbeatState & {
    /** Whether the client has been sent a ping since its last pong. */
    pinged: boolean;
  };

export interface EngineHeartbeatDeps {
  readonly clock: Clock;
  readonly writer: SocketWriter;
  /** Whether frames may be written beneath Engine.IO. */
  readonly direct: boolean;
}

/** Engine.IO's packet type `ping`, which is a whole ping. */
const PING = encodeTextFrame('2');

/** Sends the heartbeats of revision 4 of Engine.IO; in revision 3 the clients send them. */
export function startEngineHeartbeats(
  times: HeartbeatTimes,
  { clock, writer, direct }: EngineHeartbeatDeps,
): Heartbeats<HeartbeatSocket> {
  return new Heartbeats(clock, times, {
    beat(conn) {
      if (conn.readyState !== 'open') return;
      conn.pinged = true;
      const tcp = direct ? directSocket(conn) : undefined;
      if (tcp === undefined) engineOf(conn).sendPacket('ping');
      else writer.write(tcp, PING);
    },
    silent: (conn) => engineOf(conn).onClose('ping timeout'),
  });
}

/**
 * Ends the timer that Engine.IO has for each connection.
 * @returns false when there is none: the connection does without heartbeats of this node then
 */
export function takeHeartbeat(conn: EngineSocket): boolean {
  const engine = engineOf(conn);
  const timer = engine.pingIntervalTimer;
  if (!timer || typeof engine.sendPacket !== 'function') return false;
  clearTimeout(timer);
  engine.pingIntervalTimer = null;
  return true;
}
