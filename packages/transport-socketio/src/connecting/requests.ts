import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Clock, HOLD_STEP_MS } from '@leque/core';
import type { Server } from 'socket.io';
import { type StatefulSocket, stateById } from '../internals/connection-state.ts';

type Next = () => void;

/**
 * Charges the requests of a connection that polls, and lets them wait, unread, while its budget is
 * spent. Each of them counts, so that only so many can wait.
 */
export function paceRequests(engine: Server['engine'], clock: Clock): void {
  engine.use((request: IncomingMessage, _response: ServerResponse, next: Next) => {
    const conn = stateById(engine, sidOf(request) ?? '');
    conn?.input?.take(1, 0);
    proceed();
    function proceed(): void {
      if (request.socket.destroyed) return;
      if (conn === undefined || mayProceed(conn)) next();
      else clock.after(HOLD_STEP_MS, proceed);
    }
  });
}

/** The id of the connection that a request belongs to; undefined for a handshake. */
export function sidOf(request: IncomingMessage): string | undefined {
  const { _query } = request as { _query?: { sid?: string } };
  return _query?.sid || undefined;
}

/** Engine.IO refuses the requests of a connection that is closed. */
function mayProceed(conn: StatefulSocket): boolean {
  const verdict = conn.readyState === 'open' ? conn.input?.verdict() : undefined;
  if (verdict === 'close') conn.flooded();
  return verdict !== 'hold';
}
