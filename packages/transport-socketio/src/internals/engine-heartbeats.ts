import { type Beating, encodeTextFrame, Heartbeats, type HeartbeatTimes } from '@leque/core';
import type { Socket } from 'socket.io';
import type { SocketIoWriting } from '../session/socketio-connection.ts';
import { directSocket } from './direct-path.ts';

/** What is private in Engine.IO, and relied on here and nowhere else. */
interface EngineInternals {
  pingIntervalTimer: NodeJS.Timeout | null;
  sendPacket(type: string): void;
  onClose(reason: string): void;
}

export type BeatingSocket = Socket['conn'] & Beating;

/** Engine.IO's packet type `ping`, which is all that a ping consists of. */
const PING = encodeTextFrame('2');

/** The heartbeats of revision 4 of Engine.IO; in revision 3 it is the client that sends them. */
export function startEngineHeartbeats(
  times: HeartbeatTimes,
  { clock, writer, direct }: SocketIoWriting,
): Heartbeats<BeatingSocket> {
  return new Heartbeats(clock, times, {
    beat(conn) {
      if (conn.readyState !== 'open') return;
      const tcp = direct ? directSocket(conn) : undefined;
      if (tcp === undefined) internalsOf(conn).sendPacket('ping');
      else writer.write(tcp, PING);
    },
    silent: (conn) => internalsOf(conn).onClose('ping timeout'),
  });
}

/**
 * Ends the timer that Engine.IO has for each connection.
 * @returns false when there is none: its heartbeats are not ours then
 */
export function takeHeartbeat(conn: Socket['conn']): boolean {
  const internals = internalsOf(conn);
  const timer = internals.pingIntervalTimer;
  if (!timer || typeof internals.sendPacket !== 'function') return false;
  clearTimeout(timer);
  internals.pingIntervalTimer = null;
  return true;
}

function internalsOf(conn: Socket['conn']): EngineInternals {
  return conn as unknown as EngineInternals;
}
